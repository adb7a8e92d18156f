"""What the lists of images, videos and gallery items have in common: their filters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from tenantry.api.shapes.common import Direction, MediaCategory, OffsetPage, Origin
from tenantry.repositories import UNCATEGORIZED, MediaItem, MediaQuery, UnitOfWork
from tenantry.repositories.media_lists import MediaLists

__all__ = ["GalleryFilters", "ImageFilters", "VideoFilters", "VirtualBoardFilters", "page_of", "readable"]

T = TypeVar("T")

Categories = Annotated[list[MediaCategory] | None, Query(description="Only these categories.")]
Board = Annotated[str | None, Query(description="Only this board; `none` for what is on no board.")]
Search = Annotated[str | None, Query(max_length=1_000, description="Only what has this in its metadata or time.")]
StarredFirst = Annotated[bool, Query(description="Whether starred ones come first.")]


def _filters(
    categories: Categories = None,
    is_intermediate: bool | None = None,
    board_id: Board = None,
    order_dir: Direction = Direction.DESCENDING,
    starred_first: StarredFirst = True,
    search_term: Search = None,
) -> MediaQuery:
    return MediaQuery(
        board=board_id,
        categories=tuple(categories) if categories else None,
        is_intermediate=is_intermediate,
        search=search_term,
        starred_first=starred_first,
        descending=order_dir is Direction.DESCENDING,
    )


Filters = Annotated[MediaQuery, Depends(_filters)]


def _image_filters(query: Filters, image_origin: Origin | None = None) -> MediaQuery:
    return replace(query, origin=image_origin)


def _video_filters(query: Filters, video_origin: Origin | None = None) -> MediaQuery:
    return replace(query, origin=video_origin)


def _gallery_filters(query: Filters, origin: Origin | None = None) -> MediaQuery:
    return replace(query, origin=origin)


def _virtual_board_filters(
    starred_first: StarredFirst = True,
    order_dir: Direction = Direction.DESCENDING,
    categories: Categories = None,
    search_term: Search = None,
) -> MediaQuery:
    return _filters(categories, False, None, order_dir, starred_first, search_term)


ImageFilters = Annotated[MediaQuery, Depends(_image_filters)]
VideoFilters = Annotated[MediaQuery, Depends(_video_filters)]
GalleryFilters = Annotated[MediaQuery, Depends(_gallery_filters)]
VirtualBoardFilters = Annotated[MediaQuery, Depends(_virtual_board_filters)]


async def readable(work: UnitOfWork, query: MediaQuery) -> MediaQuery:
    """The query, if its board may be seen. Raises `NotFound`."""
    if query.board not in {None, UNCATEGORIZED}:
        await work.boards.get(str(query.board))
    return query


async def page_of(
    media: MediaLists, query: MediaQuery, offset: int, limit: int, shape: Callable[[MediaItem], T]
) -> OffsetPage[T]:
    """A page of a list in its shape; a limit of 0 only counts, which InvokeAI's clients do."""
    if not limit:
        return OffsetPage(limit=0, offset=offset, total=await media.count(query), items=[])
    page = await media.page(query, offset=offset, limit=limit)
    return OffsetPage(limit=limit, offset=offset, total=page.total, items=[shape(item) for item in page.items])
