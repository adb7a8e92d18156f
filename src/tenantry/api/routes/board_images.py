"""Which images are on which boards."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes import bulk
from tenantry.api.routes.images import NameList
from tenantry.api.shapes.common import ItemName
from tenantry.api.shapes.results import AddImagesToBoardResult, RemoveImagesFromBoardResult

__all__ = ["router"]

router = APIRouter(
    prefix="/board_images",
    tags=["boards"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)


@router.post("/", operation_id="add_image_to_board", summary="Put an image on a board", status_code=201)
async def add_image_to_board(
    caller: SignedIn, board_id: Annotated[ItemName, Body()], image_name: Annotated[ItemName, Body()]
) -> AddImagesToBoardResult:
    """Put one's own image on a board that one may write, off the one it was on."""
    async with caller.change() as work:
        changed = await bulk.put_on_board(work.images, [image_name], board_id)
        added, affected = await bulk.require(work.images, image_name, changed, "image")
    return AddImagesToBoardResult(added_images=added, failed_images=[], affected_boards=affected)


@router.delete("/", operation_id="remove_image_from_board", summary="Take an image off its board", status_code=201)
async def remove_image_from_board(
    caller: SignedIn, image_name: Annotated[ItemName, Body(embed=True)]
) -> RemoveImagesFromBoardResult:
    async with caller.change() as work:
        changed = await bulk.take_off_board(work.images, [image_name])
        removed, affected = await bulk.require(work.images, image_name, changed, "image")
    return RemoveImagesFromBoardResult(removed_images=removed, failed_images=[], affected_boards=affected)


@router.post("/batch", operation_id="add_images_to_board", summary="Put images on a board", status_code=201)
async def add_images_to_board(
    caller: SignedIn, board_id: Annotated[ItemName, Body()], image_names: Annotated[NameList, Body()]
) -> AddImagesToBoardResult:
    """Put one's own images on a board; others' are left where they are."""
    async with caller.change() as work:
        added, affected = await bulk.put_on_board(work.images, image_names, board_id)
    return AddImagesToBoardResult(added_images=added, failed_images=[], affected_boards=affected)


@router.post("/batch/delete", operation_id="remove_images_from_board", summary="Take images off boards", status_code=201)
async def remove_images_from_board(
    caller: SignedIn, image_names: Annotated[NameList, Body(embed=True)]
) -> RemoveImagesFromBoardResult:
    """Take images off their boards; those that one may not take are left where they are."""
    async with caller.change() as work:
        removed, affected = await bulk.take_off_board(work.images, image_names)
    return RemoveImagesFromBoardResult(removed_images=removed, failed_images=[], affected_boards=affected)
