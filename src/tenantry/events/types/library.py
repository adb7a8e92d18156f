"""Events of boards, images, videos and workflows. InvokeAI has those of workflows only (contract, section 3)."""

from tenantry.events.types.base import Audience, Event, Others, Shown

__all__ = [
    "BoardAccessRevoked",
    "BoardCreated",
    "BoardDeleted",
    "BoardShared",
    "BoardUpdated",
    "ImageDeleted",
    "ImageMoved",
    "ImageSaved",
    "ImageUpdated",
    "LibraryTransferred",
    "VideoDeleted",
    "VideoMoved",
    "VideoSaved",
    "VideoUpdated",
    "WorkflowAccessRevoked",
    "WorkflowCreated",
    "WorkflowDeleted",
    "WorkflowUpdated",
]


class _Board(Event):
    board_id: Shown[str]
    user_id: Shown[str]


class BoardCreated(_Board, name="board_created", audience=Audience.BOARD, others=Others.REDACTED):
    """There is a new board."""


class BoardUpdated(_Board, name="board_updated", audience=Audience.BOARD, others=Others.REDACTED):
    """A board's name, visibility, cover or place in the archive changed."""


class BoardDeleted(_Board, name="board_deleted", audience=Audience.BOARD, others=Others.REDACTED):
    """A board is gone; what was on it is on none."""


class BoardShared(_Board, name="board_shared", audience=Audience.BOARD, others=Others.REDACTED):
    """A board was shared with the recipient, or the recipient may do other things with it now."""


class BoardAccessRevoked(_Board, name="board_access_revoked", audience=Audience.BOARD, others=Others.REDACTED):
    """The recipient may no longer see a board."""


class _Media(Event):
    user_id: Shown[str]
    names: Shown[list[str]]
    board_id: Shown[str | None]
    """The board that they are on; None: none, or none that the recipient may see."""


class _MovedMedia(_Media):
    from_board_id: Shown[str | None]
    """The board that they were on, in the same way."""


class ImageSaved(_Media, name="image_saved", audience=Audience.BOARD, others=Others.REDACTED):
    """There is a new image."""


class ImageUpdated(_Media, name="image_updated", audience=Audience.BOARD, others=Others.REDACTED):
    """Images were starred, or changed in another way."""


class ImageDeleted(_Media, name="image_deleted", audience=Audience.BOARD, others=Others.REDACTED):
    """Images are gone."""


class ImageMoved(_MovedMedia, name="image_moved", audience=Audience.BOARD, others=Others.REDACTED):
    """Images came onto a board, or off one."""


class VideoSaved(_Media, name="video_saved", audience=Audience.BOARD, others=Others.REDACTED):
    """There is a new video."""


class VideoUpdated(_Media, name="video_updated", audience=Audience.BOARD, others=Others.REDACTED):
    """Videos were starred, or changed in another way."""


class VideoDeleted(_Media, name="video_deleted", audience=Audience.BOARD, others=Others.REDACTED):
    """Videos are gone."""


class VideoMoved(_MovedMedia, name="video_moved", audience=Audience.BOARD, others=Others.REDACTED):
    """Videos came onto a board, or off one."""


class _Workflow(Event):
    workflow_id: Shown[str]
    user_id: Shown[str]


class WorkflowCreated(_Workflow, name="workflow_created", audience=Audience.WORKFLOW, others=Others.REDACTED):
    """There is a new workflow."""

    is_public: Shown[bool]


class WorkflowUpdated(_Workflow, name="workflow_updated", audience=Audience.WORKFLOW, others=Others.REDACTED):
    """A workflow's document changed, or who may see it."""

    old_is_public: Shown[bool]
    new_is_public: Shown[bool]


class WorkflowDeleted(_Workflow, name="workflow_deleted", audience=Audience.WORKFLOW, others=Others.REDACTED):
    """A workflow is gone."""

    is_public: Shown[bool]


class WorkflowAccessRevoked(_Workflow, name="workflow_access_revoked", audience=Audience.WORKFLOW, others=Others.REDACTED):
    """The recipient may no longer see a workflow."""


class LibraryTransferred(Event, name="library_transferred", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """All that a user owned belongs to another, who is to fetch everything anew."""

    user_id: str
    to_user_id: str
