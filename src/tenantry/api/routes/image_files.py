"""Image files. `<img>` cannot send a token, so these reads also accept the media cookie."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from tenantry.api.caller import MediaViewer, SignedIn
from tenantry.api.files import MediaFiles
from tenantry.api.problems import responses
from tenantry.api.served_files import file_responses, serve_file
from tenantry.api.shapes.media import WorkflowAndGraph

__all__ = ["router"]

router = APIRouter(prefix="/images", tags=["images"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND))


_full = file_responses("image/png")


@router.get(
    "/i/{image_name}/full",
    operation_id="get_image_full",
    summary="Get an image file",
    response_class=Response,
    responses=_full,
)
@router.head(
    "/i/{image_name}/full",
    operation_id="get_image_full_head",
    summary="Ask for an image file",
    response_class=Response,
    responses=_full,
)
async def get_image_full(caller: MediaViewer, request: Request, image_name: str) -> Response:
    async with caller.read() as work:
        item = await work.images.get(image_name)
    path = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).full, item)
    return await serve_file(request, path)


@router.get(
    "/i/{image_name}/thumbnail",
    operation_id="get_image_thumbnail",
    summary="Get an image's thumbnail",
    response_class=Response,
    responses=file_responses("image/webp"),
)
async def get_image_thumbnail(caller: MediaViewer, request: Request, image_name: str) -> Response:
    async with caller.read() as work:
        item = await work.images.get(image_name)
    path = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).thumbnail, item)
    return await serve_file(request, path)


@router.get("/i/{image_name}/workflow", operation_id="get_image_workflow", summary="Get what an image was made from")
async def get_image_workflow(caller: SignedIn, image_name: str) -> WorkflowAndGraph:
    """The workflow and the graph that were saved in the image's file."""
    async with caller.read() as work:
        item = await work.images.get(image_name)
    workflow, graph = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).made_from, item)
    return WorkflowAndGraph(workflow=workflow, graph=graph)
