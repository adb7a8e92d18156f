"""What the gallery deals in."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["UNCATEGORIZED", "BoardSummary", "GalleryDate", "MediaItem", "MediaKind", "MediaNames", "MediaQuery"]

MediaKind = Literal["image", "video"]

UNCATEGORIZED = "none"
"""Stands for "on no board" where a board id is expected, as in InvokeAI."""


@dataclass(frozen=True, slots=True)
class MediaItem:
    """An image or a video. Sizes are pixels, `duration` seconds, times UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    kind: MediaKind
    name: str
    user_id: str
    board_id: str | None
    origin: str
    category: str
    width: int
    height: int
    duration: float | None
    fps: float | None
    session_id: str | None
    node_id: str | None
    is_intermediate: bool
    starred: bool
    has_workflow: bool
    subfolder: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class MediaQuery:
    """Which items a list shows and in which order; None is "no filter", an empty tuple matches nothing.

    `board` is a board's id, `UNCATEGORIZED` for one's own items on no board, or None for all of one's own; administrators
    get everybody's in the last two cases. `created_on` is a UTC date `YYYY-MM-DD`.
    """

    board: str | None = None
    categories: tuple[str, ...] | None = None
    origin: str | None = None
    is_intermediate: bool | None = None
    search: str | None = None
    created_on: str | None = None
    starred_first: bool = True
    descending: bool = True


@dataclass(frozen=True, slots=True)
class MediaNames:
    """All names of a list in order; `starred_count` says how many of the first are starred, if they come first."""

    names: list[str]
    starred_count: int
    total: int


@dataclass(frozen=True, slots=True)
class BoardSummary:
    """What is on a board: images of category `general`, other images, videos; and what stands for it."""

    board_id: str
    image_count: int = 0
    asset_count: int = 0
    video_count: int = 0
    cover_kind: MediaKind | None = None
    cover_name: str | None = None


@dataclass(frozen=True, slots=True)
class GalleryDate:
    """What was made on a UTC date; the cover is its newest item."""

    date: str
    image_count: int
    asset_count: int
    video_count: int
    cover_kind: MediaKind
    cover_name: str
