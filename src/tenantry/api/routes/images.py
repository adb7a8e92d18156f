"""Images: lists and what is known about each."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.lists import ImageFilters, page_of, readable
from tenantry.api.shapes.common import MAX_NAMES, ItemName, Limit, Offset, OffsetPage, json_object
from tenantry.api.shapes.media import FileUrls, ImageDTO, ImageUrlsDTO
from tenantry.api.shapes.results import ImageNamesResult

__all__ = ["NameList", "router"]

router = APIRouter(
    prefix="/images",
    tags=["images"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)

NameList = Annotated[list[ItemName], Field(max_length=MAX_NAMES)]


@router.get("/", operation_id="list_image_dtos", summary="List images")
async def list_image_dtos(
    caller: SignedIn, filters: ImageFilters, offset: Offset = 0, limit: Limit = 10
) -> OffsetPage[ImageDTO]:
    """One's own images, or a board's; administrators get everybody's."""
    async with caller.read() as work:
        return await page_of(work.images, await readable(work, filters), offset, limit, ImageDTO.of)


@router.get("/names", operation_id="get_image_names", summary="List names of images", deprecated=True)
async def get_image_names(caller: SignedIn, filters: ImageFilters) -> ImageNamesResult:
    """All names of a list in order; `gallery/item_names` has videos too."""
    async with caller.read() as work:
        found = await work.images.names(await readable(work, filters))
    return ImageNamesResult(image_names=found.names, starred_count=found.starred_count, total_count=found.total)


@router.post("/images_by_names", operation_id="get_images_by_names", summary="Get images by their names")
async def get_images_by_names(caller: SignedIn, image_names: Annotated[NameList, Body(embed=True)]) -> list[ImageDTO]:
    """The images in the order of the names, without those that one may not see."""
    async with caller.read() as work:
        return [ImageDTO.of(item) for item in await work.images.many(image_names)]


@router.get("/intermediates", operation_id="get_intermediates_count", summary="Count intermediate images")
async def get_intermediates_count(caller: SignedIn) -> int:
    """How many intermediate images one has; administrators: how many there are."""
    async with caller.read() as work:
        return await work.images.count_intermediates()


@router.get("/i/{image_name}", operation_id="get_image_dto", summary="Get an image")
async def get_image_dto(caller: SignedIn, image_name: str) -> ImageDTO:
    async with caller.read() as work:
        return ImageDTO.of(await work.images.get(image_name))


@router.get("/i/{image_name}/metadata", operation_id="get_image_metadata", summary="Get an image's metadata")
async def get_image_metadata(caller: SignedIn, image_name: str) -> dict[str, Any] | None:
    """How the image was made, or null."""
    async with caller.read() as work:
        return json_object(await work.images.metadata(image_name))


@router.get("/i/{image_name}/urls", operation_id="get_image_urls", summary="Get the addresses of an image's files")
async def get_image_urls(caller: SignedIn, image_name: str) -> ImageUrlsDTO:
    async with caller.read() as work:
        item = await work.images.get(image_name)
    urls = FileUrls("image", item.name)
    return ImageUrlsDTO(image_name=item.name, image_url=urls.full, thumbnail_url=urls.thumbnail)
