"""Videos: lists, what is known about each, and their files."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from tenantry.api.caller import MediaViewer, SignedIn
from tenantry.api.files import MediaFiles
from tenantry.api.problems import responses
from tenantry.api.routes import bulk
from tenantry.api.routes.images import NameList
from tenantry.api.routes.lists import VideoFilters, page_of, readable
from tenantry.api.served_files import file_responses, serve_file
from tenantry.api.shapes.common import ItemName, Limit, Offset, OffsetPage, json_object
from tenantry.api.shapes.media import FileUrls, VideoChanges, VideoDTO, VideoUrlsDTO, WorkflowAndGraph
from tenantry.api.shapes.results import (
    AddVideosToBoardResult,
    DeleteVideosResult,
    RemoveVideosFromBoardResult,
    StarredVideosResult,
    UnstarredVideosResult,
    VideoNamesResult,
)

__all__ = ["router"]

router = APIRouter(
    prefix="/videos",
    tags=["videos"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
_CHANGE = responses(HTTPStatus.FORBIDDEN)
Names = Annotated[NameList, Body(embed=True, description="Names; those that one may not change are left as they are.")]


@router.get("/", operation_id="list_video_dtos", summary="List videos")
async def list_video_dtos(
    caller: SignedIn, filters: VideoFilters, offset: Offset = 0, limit: Limit = 10
) -> OffsetPage[VideoDTO]:
    """One's own videos, or a board's; administrators get everybody's."""
    async with caller.read() as work:
        return await page_of(work.videos, await readable(work, filters), offset, limit, VideoDTO.of)


@router.get("/names", operation_id="get_video_names", summary="List names of videos", deprecated=True)
async def get_video_names(caller: SignedIn, filters: VideoFilters) -> VideoNamesResult:
    """All names of a list in order; `gallery/item_names` has images too."""
    async with caller.read() as work:
        found = await work.videos.names(await readable(work, filters))
    return VideoNamesResult(video_names=found.names, starred_count=found.starred_count, total_count=found.total)


@router.post("/star", operation_id="star_videos_in_list", summary="Star videos")
async def star_videos_in_list(caller: SignedIn, video_names: Names) -> StarredVideosResult:
    async with caller.change() as work:
        changed, affected = await bulk.star(work.videos, video_names, starred=True)
    return StarredVideosResult(starred_videos=changed, failed_videos=[], affected_boards=affected)


@router.post("/unstar", operation_id="unstar_videos_in_list", summary="Unstar videos")
async def unstar_videos_in_list(caller: SignedIn, video_names: Names) -> UnstarredVideosResult:
    async with caller.change() as work:
        changed, affected = await bulk.star(work.videos, video_names, starred=False)
    return UnstarredVideosResult(unstarred_videos=changed, failed_videos=[], affected_boards=affected)


@router.post("/delete", operation_id="delete_videos_from_list", summary="Delete videos")
async def delete_videos_from_list(caller: SignedIn, video_names: Names) -> DeleteVideosResult:
    async with caller.change() as work:
        (deleted, affected), gone = await bulk.delete(work.videos, video_names)
    await bulk.delete_files(caller, gone)
    return DeleteVideosResult(deleted_videos=deleted, failed_videos=[], affected_boards=affected)


@router.delete("/uncategorized", operation_id="delete_uncategorized_videos", summary="Delete videos on no board")
async def delete_uncategorized_videos(caller: SignedIn) -> DeleteVideosResult:
    """Delete one's own videos that are on no board; administrators: everybody's."""
    async with caller.change() as work:
        (deleted, affected), gone = await bulk.delete_uncategorized(work.videos)
    await bulk.delete_files(caller, gone)
    return DeleteVideosResult(deleted_videos=deleted, failed_videos=[], affected_boards=affected)


@router.post("/board", operation_id="add_video_to_board", summary="Put a video on a board", responses=_CHANGE)
async def add_video_to_board(
    caller: SignedIn, board_id: Annotated[ItemName, Body()], video_name: Annotated[ItemName, Body()]
) -> AddVideosToBoardResult:
    """Put one's own video on a board that one may write, off the one it was on."""
    async with caller.change() as work:
        changed = await bulk.put_on_board(work.videos, [video_name], board_id)
        added, affected = await bulk.require(work.videos, video_name, changed, "video")
    return AddVideosToBoardResult(added_videos=added, affected_boards=affected)


@router.delete("/board", operation_id="remove_video_from_board", summary="Take a video off its board", responses=_CHANGE)
async def remove_video_from_board(
    caller: SignedIn, video_name: Annotated[ItemName, Body(embed=True)]
) -> RemoveVideosFromBoardResult:
    async with caller.change() as work:
        changed = await bulk.take_off_board(work.videos, [video_name])
        removed, affected = await bulk.require(work.videos, video_name, changed, "video")
    return RemoveVideosFromBoardResult(removed_videos=removed, affected_boards=affected)


@router.get("/i/{video_name}", operation_id="get_video_dto", summary="Get a video")
async def get_video_dto(caller: SignedIn, video_name: str) -> VideoDTO:
    async with caller.read() as work:
        return VideoDTO.of(await work.videos.get(video_name))


@router.patch("/i/{video_name}", operation_id="update_video", summary="Change a video", responses=_CHANGE)
async def update_video(caller: SignedIn, video_name: str, video_changes: VideoChanges) -> VideoDTO:
    async with caller.change() as work:
        item = await work.videos.update(
            video_name,
            category=video_changes.video_category,
            session_id=video_changes.session_id,
            is_intermediate=video_changes.is_intermediate,
            starred=video_changes.starred,
        )
    return VideoDTO.of(item)


@router.delete("/i/{video_name}", operation_id="delete_video", summary="Delete a video", responses=_CHANGE)
async def delete_video(caller: SignedIn, video_name: str) -> DeleteVideosResult:
    async with caller.change() as work:
        changed, gone = await bulk.delete(work.videos, [video_name])
        deleted, affected = await bulk.require(work.videos, video_name, changed, "video")
    await bulk.delete_files(caller, gone)
    return DeleteVideosResult(deleted_videos=deleted, failed_videos=[], affected_boards=affected)


@router.get("/i/{video_name}/metadata", operation_id="get_video_metadata", summary="Get a video's metadata")
async def get_video_metadata(caller: SignedIn, video_name: str) -> dict[str, Any] | None:
    """How the video was made, or null."""
    async with caller.read() as work:
        return json_object(await work.videos.metadata(video_name))


@router.get("/i/{video_name}/workflow", operation_id="get_video_workflow", summary="Get what a video was made from")
async def get_video_workflow(caller: SignedIn, video_name: str) -> WorkflowAndGraph:
    """The workflow and the graph that were saved beside the video's file."""
    async with caller.read() as work:
        item = await work.videos.get(video_name)
    workflow, graph = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).made_from, item)
    return WorkflowAndGraph(workflow=workflow, graph=graph)


@router.get("/i/{video_name}/urls", operation_id="get_video_urls", summary="Get the addresses of a video's files")
async def get_video_urls(caller: SignedIn, video_name: str) -> VideoUrlsDTO:
    async with caller.read() as work:
        item = await work.videos.get(video_name)
    urls = FileUrls("video", item.name)
    return VideoUrlsDTO(video_name=item.name, video_url=urls.full, thumbnail_url=urls.thumbnail)


_full = file_responses("video/mp4", ranges=True)


@router.get(
    "/i/{video_name}/full", operation_id="get_video_full", summary="Get a video file", response_class=Response, responses=_full
)
@router.head(
    "/i/{video_name}/full",
    operation_id="get_video_full_head",
    summary="Ask for a video file",
    response_class=Response,
    responses=_full,
)
async def get_video_full(caller: MediaViewer, request: Request, video_name: str) -> Response:
    async with caller.read() as work:
        item = await work.videos.get(video_name)
    path = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).full, item)
    return await serve_file(request, path)


@router.get(
    "/i/{video_name}/thumbnail",
    operation_id="get_video_thumbnail",
    summary="Get a video's thumbnail",
    response_class=Response,
    responses=file_responses("image/webp"),
)
async def get_video_thumbnail(caller: MediaViewer, request: Request, video_name: str) -> Response:
    async with caller.read() as work:
        item = await work.videos.get(video_name)
    path = await asyncio.to_thread(MediaFiles(caller.settings.outputs_folder).thumbnail, item)
    return await serve_file(request, path)
