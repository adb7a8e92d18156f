"""Changes to images."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from tenantry.api.caller import Administrator, SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes import bulk
from tenantry.api.routes.images import NameList
from tenantry.api.shapes.media import ImageChanges, ImageDTO
from tenantry.api.shapes.results import DeleteImagesResult, StarredImagesResult, UnstarredImagesResult

__all__ = ["router"]

router = APIRouter(prefix="/images", tags=["images"], responses=responses(HTTPStatus.UNAUTHORIZED))
_ONE = responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
Names = Annotated[NameList, Body(embed=True, description="Names; those that one may not change are left as they are.")]


@router.post("/star", operation_id="star_images_in_list", summary="Star images")
async def star_images_in_list(caller: SignedIn, image_names: Names) -> StarredImagesResult:
    async with caller.change() as work:
        changed, affected = await bulk.star(work.images, image_names, starred=True)
    return StarredImagesResult(starred_images=changed, failed_images=[], affected_boards=affected)


@router.post("/unstar", operation_id="unstar_images_in_list", summary="Unstar images")
async def unstar_images_in_list(caller: SignedIn, image_names: Names) -> UnstarredImagesResult:
    async with caller.change() as work:
        changed, affected = await bulk.star(work.images, image_names, starred=False)
    return UnstarredImagesResult(unstarred_images=changed, failed_images=[], affected_boards=affected)


@router.post("/delete", operation_id="delete_images_from_list", summary="Delete images")
async def delete_images_from_list(caller: SignedIn, image_names: Names) -> DeleteImagesResult:
    async with caller.change() as work:
        (deleted, affected), gone = await bulk.delete(work.images, image_names)
    await bulk.delete_files(caller, gone)
    return DeleteImagesResult(deleted_images=deleted, failed_images=[], affected_boards=affected)


@router.delete("/uncategorized", operation_id="delete_uncategorized_images", summary="Delete images on no board")
async def delete_uncategorized_images(caller: SignedIn) -> DeleteImagesResult:
    """Delete one's own images that are on no board; administrators: everybody's."""
    async with caller.change() as work:
        (deleted, affected), gone = await bulk.delete_uncategorized(work.images)
    await bulk.delete_files(caller, gone)
    return DeleteImagesResult(deleted_images=deleted, failed_images=[], affected_boards=affected)


@router.delete("/intermediates", operation_id="clear_intermediates", summary="Delete intermediate images", responses=_ONE)
async def clear_intermediates(caller: Administrator) -> int:
    """Delete all intermediate images of all users; for administrators."""
    async with caller.change() as work:
        names = [name for name, _ in await work.images.intermediates()]
        items = await work.images.many(names)
        deleted = set(await work.images.delete_intermediates(names))
    await bulk.delete_files(caller, [item for item in items if item.name in deleted])
    return len(deleted)


@router.patch("/i/{image_name}", operation_id="update_image", summary="Change an image", responses=_ONE)
async def update_image(caller: SignedIn, image_name: str, image_changes: ImageChanges) -> ImageDTO:
    async with caller.change() as work:
        item = await work.images.update(
            image_name,
            category=image_changes.image_category,
            session_id=image_changes.session_id,
            is_intermediate=image_changes.is_intermediate,
            starred=image_changes.starred,
        )
    return ImageDTO.of(item)


@router.delete("/i/{image_name}", operation_id="delete_image", summary="Delete an image", responses=_ONE)
async def delete_image(caller: SignedIn, image_name: str) -> DeleteImagesResult:
    async with caller.change() as work:
        changed, gone = await bulk.delete(work.images, [image_name])
        deleted, affected = await bulk.require(work.images, image_name, changed, "image")
    await bulk.delete_files(caller, gone)
    return DeleteImagesResult(deleted_images=deleted, failed_images=[], affected_boards=affected)
