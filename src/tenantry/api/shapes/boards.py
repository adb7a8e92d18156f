"""Boards and their shares over the wire."""

from pydantic import BaseModel, ConfigDict, Field

from tenantry.repositories import Board, BoardSummary
from tenantry.repositories.shares import Share
from tenantry.tenancy import BoardVisibility, Permission

__all__ = ["BoardChanges", "BoardDTO", "DeleteBoardResult", "ShareDTO", "ShareRequest"]


class BoardDTO(BaseModel):
    """A board with what is on it."""

    board_id: str
    board_name: str
    user_id: str = Field(description="The owner.")
    created_at: str = Field(description="UTC, `YYYY-MM-DD HH:MM:SS.fff`.")
    updated_at: str
    deleted_at: str | None = Field(None, description="Always null.")
    cover_image_name: str | None = Field(description="The image that stands for the board, if an image does.")
    cover_video_name: str | None = Field(None, description="The video that stands for the board, if a video does.")
    archived: bool
    board_visibility: BoardVisibility
    image_count: int
    video_count: int = 0
    asset_count: int
    owner_username: str | None = Field(None, description="The owner's name; for administrators only.")

    @classmethod
    def of(cls, board: Board, summary: BoardSummary, owner: str | None = None) -> "BoardDTO":
        return cls(
            board_id=board.board_id,
            board_name=board.board_name,
            user_id=board.user_id,
            created_at=board.created_at,
            updated_at=board.updated_at,
            cover_image_name=summary.cover_name if summary.cover_kind == "image" else None,
            cover_video_name=summary.cover_name if summary.cover_kind == "video" else None,
            archived=board.archived,
            board_visibility=board.visibility,
            image_count=summary.image_count,
            video_count=summary.video_count,
            asset_count=summary.asset_count,
            owner_username=owner,
        )


class BoardChanges(BaseModel):
    """What to change about a board; what is left out or null stays."""

    model_config = ConfigDict(extra="forbid")

    board_name: str | None = Field(None, max_length=300)
    cover_image_name: str | None = None
    archived: bool | None = None
    board_visibility: BoardVisibility | None = None


class DeleteBoardResult(BaseModel):
    """What became of a board's contents: taken off it, or deleted with it."""

    board_id: str
    deleted_board_images: list[str] = Field([], description="Images that are on no board now.")
    deleted_images: list[str] = Field([], description="Images that were deleted.")
    deleted_board_videos: list[str] = []
    deleted_videos: list[str] = []
    failed_images: list[str] = Field([], description="Images that were to be deleted and could not be.")
    failed_videos: list[str] = []


class ShareRequest(BaseModel):
    """With whom to share a board, and what they may do."""

    model_config = ConfigDict(extra="forbid")

    user_ids: list[str] = Field(min_length=1, max_length=100)
    permission: Permission


class ShareDTO(BaseModel):
    """One user's permission on another's board."""

    board_id: str
    user_id: str
    permission: Permission
    shared_at: str

    @classmethod
    def of(cls, share: Share) -> "ShareDTO":
        return cls(board_id=share.board_id, user_id=share.user_id, permission=share.permission, shared_at=share.shared_at)
