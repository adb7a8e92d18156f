"""Images, videos and gallery items over the wire.

Addresses of files have no leading slash, as InvokeAI gives them, so that they also work below a proxy's prefix.
"""

from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, StrictBool

from tenantry.api.shapes.common import MediaCategory
from tenantry.repositories import MediaItem

__all__ = [
    "FileUrls",
    "GalleryItem",
    "ImageChanges",
    "ImageDTO",
    "ImageUrlsDTO",
    "VideoChanges",
    "VideoDTO",
    "VideoUrlsDTO",
    "WorkflowAndGraph",
]


class FileUrls:
    """Where the files of an item are, relative to the server's root."""

    def __init__(self, kind: Literal["image", "video"], name: str) -> None:
        place = f"api/v1/{kind}s/i/{quote(name, safe='')}"
        self.full = f"{place}/full"
        self.thumbnail = f"{place}/thumbnail"


class ImageUrlsDTO(BaseModel):
    """Where an image's files are."""

    image_name: str
    image_url: str
    thumbnail_url: str


class ImageDTO(ImageUrlsDTO):
    """An image."""

    image_origin: str
    image_category: str
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    created_at: str = Field(description="UTC, `YYYY-MM-DD HH:MM:SS.fff`.")
    updated_at: str
    deleted_at: str | None = Field(None, description="Always null.")
    is_intermediate: bool
    session_id: str | None = None
    node_id: str | None = None
    starred: bool
    has_workflow: bool
    image_subfolder: str = ""
    board_id: str | None = None

    @classmethod
    def of(cls, item: MediaItem) -> "ImageDTO":
        urls = FileUrls("image", item.name)
        return cls(
            image_name=item.name,
            image_url=urls.full,
            thumbnail_url=urls.thumbnail,
            image_origin=item.origin,
            image_category=item.category,
            width=item.width,
            height=item.height,
            created_at=item.created_at,
            updated_at=item.updated_at,
            is_intermediate=item.is_intermediate,
            session_id=item.session_id,
            node_id=item.node_id,
            starred=item.starred,
            has_workflow=item.has_workflow,
            image_subfolder=item.subfolder,
            board_id=item.board_id,
        )


class VideoUrlsDTO(BaseModel):
    """Where a video's files are."""

    video_name: str
    video_url: str
    thumbnail_url: str


class VideoDTO(VideoUrlsDTO):
    """A video."""

    video_origin: str
    video_category: str
    width: int
    height: int
    duration: float = Field(description="Seconds.")
    fps: float | None = None
    created_at: str
    updated_at: str
    deleted_at: str | None = Field(None, description="Always null.")
    is_intermediate: bool
    session_id: str | None = None
    node_id: str | None = None
    starred: bool
    has_workflow: bool
    video_subfolder: str = ""
    board_id: str | None = None

    @classmethod
    def of(cls, item: MediaItem) -> "VideoDTO":
        urls = FileUrls("video", item.name)
        return cls(
            video_name=item.name,
            video_url=urls.full,
            thumbnail_url=urls.thumbnail,
            video_origin=item.origin,
            video_category=item.category,
            width=item.width,
            height=item.height,
            duration=item.duration or 0.0,
            fps=item.fps,
            created_at=item.created_at,
            updated_at=item.updated_at,
            is_intermediate=item.is_intermediate,
            session_id=item.session_id,
            node_id=item.node_id,
            starred=item.starred,
            has_workflow=item.has_workflow,
            video_subfolder=item.subfolder,
            board_id=item.board_id,
        )


class GalleryItem(BaseModel):
    """An image or a video in the gallery's one stream."""

    kind: Literal["image", "video"]
    name: str
    full_url: str
    thumbnail_url: str
    width: int
    height: int
    category: str
    starred: bool
    is_intermediate: bool
    board_id: str | None = None
    created_at: str
    duration: float | None = Field(None, description="Seconds; for videos.")
    fps: float | None = Field(None, description="For videos.")

    @classmethod
    def of(cls, item: MediaItem) -> "GalleryItem":
        urls = FileUrls(item.kind, item.name)
        return cls(
            kind=item.kind,
            name=item.name,
            full_url=urls.full,
            thumbnail_url=urls.thumbnail,
            width=item.width,
            height=item.height,
            category=item.category,
            starred=item.starred,
            is_intermediate=item.is_intermediate,
            board_id=item.board_id,
            created_at=item.created_at,
            duration=item.duration,
            fps=item.fps,
        )


class ImageChanges(BaseModel):
    """What to change about an image; what is left out or null stays, and other members are ignored."""

    image_category: MediaCategory | None = None
    session_id: str | None = None
    is_intermediate: StrictBool | None = None
    starred: StrictBool | None = None


class VideoChanges(BaseModel):
    """What to change about a video; what is left out or null stays, and other members are ignored."""

    video_category: MediaCategory | None = None
    session_id: str | None = None
    is_intermediate: StrictBool | None = None
    starred: StrictBool | None = None


class WorkflowAndGraph(BaseModel):
    """What a file says about how it was made, each as JSON text."""

    workflow: str | None
    graph: str | None
