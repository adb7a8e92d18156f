"""What happened in a unit of work, for whoever wants to know once it is committed."""

from dataclasses import dataclass

from tenantry.repositories.media_values import MediaKind

__all__ = [
    "AccountChanged",
    "AccountCreated",
    "AccountDeleted",
    "BoardCreated",
    "BoardDeleted",
    "BoardShared",
    "BoardUnshared",
    "BoardUpdated",
    "Change",
    "LibraryTransferred",
    "MediaDeleted",
    "MediaMoved",
    "MediaSaved",
    "MediaUpdated",
    "WorkflowCreated",
    "WorkflowDeleted",
    "WorkflowUpdated",
]


@dataclass(frozen=True, slots=True)
class Change:
    """Something of `user_id`'s was changed, by whomever. Each kind of change is a subclass that says what, before and after."""

    user_id: str


@dataclass(frozen=True, slots=True)
class BoardCreated(Change):
    """A board is there."""

    board_id: str


@dataclass(frozen=True, slots=True)
class BoardUpdated(Change):
    """A board was changed. `was_open`: everybody saw it until now, and perhaps not everybody does any more."""

    board_id: str
    was_open: bool


@dataclass(frozen=True, slots=True)
class BoardDeleted(Change):
    """A board is gone. Everybody saw it if it `was_open`, and those it was `shared_with` anyway."""

    board_id: str
    was_open: bool
    shared_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoardShared(Change):
    """A board was shared with these users, or what they may do with it was changed."""

    board_id: str
    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoardUnshared(Change):
    """A board is no longer shared with a user."""

    board_id: str
    from_user_id: str


@dataclass(frozen=True, slots=True)
class MediaSaved(Change):
    """An image or a video was recorded, on a board or on none."""

    kind: MediaKind
    name: str
    board_id: str | None


@dataclass(frozen=True, slots=True)
class MediaUpdated(Change):
    """Items of one user and one board were changed where they are."""

    kind: MediaKind
    names: tuple[str, ...]
    board_id: str | None


@dataclass(frozen=True, slots=True)
class MediaDeleted(Change):
    """Items of one user are gone from one board."""

    kind: MediaKind
    names: tuple[str, ...]
    board_id: str | None


@dataclass(frozen=True, slots=True)
class MediaMoved(Change):
    """Items of one user went from one board to another; None is no board."""

    kind: MediaKind
    names: tuple[str, ...]
    before_board_id: str | None
    board_id: str | None


@dataclass(frozen=True, slots=True)
class WorkflowCreated(Change):
    """A workflow is there."""

    workflow_id: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class WorkflowUpdated(Change):
    """A workflow was changed, or shown to everybody, or no longer."""

    workflow_id: str
    old_is_public: bool
    new_is_public: bool


@dataclass(frozen=True, slots=True)
class WorkflowDeleted(Change):
    """A workflow is gone."""

    workflow_id: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class AccountCreated(Change):
    """There is a new user."""


@dataclass(frozen=True, slots=True)
class AccountChanged(Change):
    """A user's name, address, password or rights were changed, or their tokens ended; this is what holds now."""

    is_admin: bool
    is_active: bool
    token_epoch: int


@dataclass(frozen=True, slots=True)
class AccountDeleted(Change):
    """A user is gone, and whatever is still theirs with them."""


@dataclass(frozen=True, slots=True)
class LibraryTransferred(Change):
    """All that was the user's is another's now."""

    to_user_id: str
