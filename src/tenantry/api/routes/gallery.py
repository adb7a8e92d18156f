"""Images and videos as one stream."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.lists import GalleryFilters, page_of, readable
from tenantry.api.shapes.common import Limit, Offset, OffsetPage
from tenantry.api.shapes.media import GalleryItem
from tenantry.api.shapes.results import GalleryItemNames, GalleryItemNamesResult, GalleryItemRef
from tenantry.repositories import MediaQuery, UnitOfWork

__all__ = ["item_refs", "router"]

router = APIRouter(
    prefix="/gallery",
    tags=["gallery"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)


@router.get("/items/", operation_id="list_gallery_items", summary="List images and videos")
async def list_gallery_items(
    caller: SignedIn, filters: GalleryFilters, offset: Offset = 0, limit: Limit = 10
) -> OffsetPage[GalleryItem]:
    """One's own images and videos, or a board's; administrators get everybody's."""
    async with caller.read() as work:
        return await page_of(work.gallery, await readable(work, filters), offset, limit, GalleryItem.of)


@router.get("/item_names", operation_id="list_gallery_item_names", summary="List names of images and videos")
async def list_gallery_item_names(
    caller: SignedIn,
    filters: GalleryFilters,
    created_date: Annotated[str | None, Query(description="Only what was made on this UTC date, `YYYY-MM-DD`.")] = None,
) -> GalleryItemNames:
    """All names of a list in order; a name that ends in `.mp4` is a video's."""
    async with caller.read() as work:
        found = await work.gallery.names(await readable(work, replace(filters, created_on=created_date)))
    return GalleryItemNames(item_names=found.names, starred_count=found.starred_count, total_count=found.total)


@router.get("/items/names", operation_id="get_gallery_item_names", summary="List kinds and names", deprecated=True)
async def get_gallery_item_names(caller: SignedIn, filters: GalleryFilters) -> GalleryItemNamesResult:
    """Kind and name of each item of a list in order; `item_names` is lighter."""
    async with caller.read() as work:
        return await item_refs(work, await readable(work, filters))


async def item_refs(work: UnitOfWork, query: MediaQuery) -> GalleryItemNamesResult:
    """Kind and name of each item that a query finds."""
    refs = [GalleryItemRef(kind=kind, name=name) for kind, name in await work.gallery.item_names(query)]
    starred = (await work.gallery.names(query)).starred_count if query.starred_first else 0
    return GalleryItemNamesResult(items=refs, starred_count=starred, total_count=len(refs))
