"""What was made on each UTC date, shown as boards."""

from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.gallery import item_refs
from tenantry.api.routes.lists import VirtualBoardFilters
from tenantry.api.shapes.results import GalleryItemNamesResult, ImageNamesResult, VirtualBoardDTO
from tenantry.repositories import GalleryDate

__all__ = ["router"]

router = APIRouter(
    prefix="/virtual_boards",
    tags=["virtual_boards"],
    responses=responses(HTTPStatus.UNAUTHORIZED),
)


@router.get("/by_date", operation_id="list_virtual_boards_by_date", summary="List dates")
async def list_virtual_boards_by_date(caller: SignedIn) -> list[VirtualBoardDTO]:
    """Each date on which one made something, newest first, with counts and a cover."""
    async with caller.read() as work:
        return [_board(date) for date in await work.gallery.dates()]


@router.get(
    "/by_date/{date}/image_names",
    operation_id="list_virtual_board_image_names_by_date",
    summary="List images of a date",
    deprecated=True,
)
async def list_virtual_board_image_names_by_date(caller: SignedIn, date: str, filters: VirtualBoardFilters) -> ImageNamesResult:
    """Names of one's own images of a date; `gallery/item_names?created_date=` has videos too."""
    async with caller.read() as work:
        found = await work.images.names(replace(filters, created_on=date))
    return ImageNamesResult(image_names=found.names, starred_count=found.starred_count, total_count=found.total)


@router.get(
    "/by_date/{date}/item_names",
    operation_id="list_virtual_board_item_names_by_date",
    summary="List items of a date",
    deprecated=True,
)
async def list_virtual_board_item_names_by_date(
    caller: SignedIn, date: str, filters: VirtualBoardFilters
) -> GalleryItemNamesResult:
    """One's own images and videos of a date by kind and name."""
    async with caller.read() as work:
        return await item_refs(work, replace(filters, created_on=date))


def _board(date: GalleryDate) -> VirtualBoardDTO:
    return VirtualBoardDTO(
        virtual_board_id=f"by_date:{date.date}",
        board_name=date.date,
        date=date.date,
        image_count=date.image_count,
        asset_count=date.asset_count,
        video_count=date.video_count,
        cover_image_name=date.cover_name if date.cover_kind == "image" else None,
        cover_video_name=date.cover_name if date.cover_kind == "video" else None,
    )
