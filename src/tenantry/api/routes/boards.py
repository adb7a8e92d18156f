"""Boards."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from tenantry.api.caller import Caller, SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes import bulk
from tenantry.api.shapes.boards import BoardChanges, BoardDTO, DeleteBoardResult
from tenantry.api.shapes.common import Direction, Limit, MediaCategory, Offset, OffsetPage
from tenantry.errors import NotAllowed
from tenantry.repositories import UNCATEGORIZED, Board, MediaItem, MediaQuery, UnitOfWork
from tenantry.repositories.boards import BoardOrder
from tenantry.repositories.pages import MAX_LIMIT

__all__ = ["router"]

router = APIRouter(prefix="/boards", tags=["boards"], responses=responses(HTTPStatus.UNAUTHORIZED))
_ONE = responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@router.post("/", operation_id="create_board", summary="Create a board", status_code=201)
async def create_board(
    caller: SignedIn, board_name: Annotated[str, Query(max_length=300, description="The name of the new board.")]
) -> BoardDTO:
    """Create a private board of one's own."""
    async with caller.change() as work:
        return await _described(caller, work, await work.boards.create(board_name))


@router.get("/", operation_id="list_boards", summary="List boards", responses=responses(HTTPStatus.BAD_REQUEST))
async def list_boards(
    caller: SignedIn,
    order_by: Annotated[BoardOrder, Query(description="What to sort by.")] = "created_at",
    direction: Direction = Direction.DESCENDING,
    all: Annotated[bool | None, Query(description="All boards as a plain list.")] = None,  # noqa: A002
    offset: Annotated[Offset | None, Query()] = None,
    limit: Annotated[Limit | None, Query()] = None,
    include_archived: bool = False,
) -> OffsetPage[BoardDTO] | list[BoardDTO]:
    """Own boards, boards that are shown to everybody, and boards shared with oneself; administrators see all.

    Give either `all`, or `offset` and `limit`.
    """
    descending = direction is Direction.DESCENDING
    async with caller.read() as work:
        if all:
            boards = await work.boards.all(order_by=order_by, descending=descending, include_archived=include_archived)
            return await _all_described(caller, work, boards)
        if offset is None or limit is None:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "Give either all, or both offset and limit.")
        page = await work.boards.page(
            offset=offset,
            limit=limit or 1,
            order_by=order_by,
            descending=descending,
            include_archived=include_archived,
        )
        items = await _all_described(caller, work, page.items if limit else [])
        return OffsetPage(limit=limit, offset=offset, total=page.total, items=items)


@router.get("/{board_id}", operation_id="get_board", summary="Get a board", responses=_ONE)
async def get_board(caller: SignedIn, board_id: str) -> BoardDTO:
    async with caller.read() as work:
        return await _described(caller, work, await work.boards.get(board_id))


@router.get("/{board_id}/image_names", operation_id="list_all_board_image_names", summary="Names on a board", responses=_ONE)
async def list_all_board_image_names(
    caller: SignedIn,
    board_id: str,
    categories: Annotated[list[MediaCategory] | None, Query()] = None,
    is_intermediate: bool | None = None,
) -> list[str]:
    """The names of all images on a board, or of one's own that are on none for the board `none`."""
    query = MediaQuery(board=board_id, categories=tuple(categories) if categories else None, is_intermediate=is_intermediate)
    async with caller.read() as work:
        if board_id != UNCATEGORIZED:
            await work.boards.get(board_id)
        return (await work.images.names(query)).names


@router.patch("/{board_id}", operation_id="update_board", summary="Change a board", status_code=201, responses=_ONE)
async def update_board(caller: SignedIn, board_id: str, changes: BoardChanges) -> BoardDTO:
    async with caller.change() as work:
        board = await work.boards.update(
            board_id,
            board_name=changes.board_name,
            visibility=changes.board_visibility,
            archived=changes.archived,
            cover_image_name=changes.cover_image_name,
        )
        return await _described(caller, work, board)


@router.delete("/{board_id}", operation_id="delete_board", summary="Delete a board", responses=_ONE)
async def delete_board(caller: SignedIn, board_id: str, include_images: bool | None = False) -> DeleteBoardResult:
    """Delete a board; what is on it is kept, unless `include_images`: then an administrator deletes all of it, and an
    owner what is their own.
    """
    result = DeleteBoardResult(board_id=board_id)
    doomed: list[MediaItem] = []
    async with caller.change() as work:
        board = await work.boards.get(board_id)
        if not (caller.is_admin or board.user_id == caller.user_id):
            raise NotAllowed("You may see this board but not delete it.")
        if include_images:
            doomed = await _delete_contents(caller, work, board_id, result)
        else:
            result.deleted_board_images = (await work.images.names(MediaQuery(board=board_id))).names
            result.deleted_board_videos = (await work.videos.names(MediaQuery(board=board_id))).names
        await work.boards.delete(board_id)
    await bulk.delete_files(caller, doomed)
    return result


async def _delete_contents(caller: Caller, work: UnitOfWork, board_id: str, result: DeleteBoardResult) -> list[MediaItem]:
    doomed: list[MediaItem] = []
    query = MediaQuery(board=board_id)
    for repository, deleted in ((work.images, result.deleted_images), (work.videos, result.deleted_videos)):
        names = (await repository.names(query)).names
        for start in range(0, len(names), MAX_LIMIT):
            items = await repository.many(names[start : start + MAX_LIMIT])
            mine = [item for item in items if caller.is_admin or item.user_id == caller.user_id]
            (gone, _), items = await bulk.delete(repository, [item.name for item in mine])
            deleted += gone
            doomed += items
    return doomed


async def _described(caller: Caller, work: UnitOfWork, board: Board) -> BoardDTO:
    return (await _all_described(caller, work, [board]))[0]


async def _all_described(caller: Caller, work: UnitOfWork, boards: list[Board]) -> list[BoardDTO]:
    if not boards:
        return []
    summaries = await work.gallery.summaries([board.board_id for board in boards])
    owners = await _owner_names(work, boards) if caller.is_admin else {}
    return [BoardDTO.of(board, summaries[board.board_id], owners.get(board.user_id)) for board in boards]


async def _owner_names(work: UnitOfWork, boards: list[Board]) -> dict[str, str | None]:
    users = await work.users.get_many(sorted({board.user_id for board in boards}))
    return {user.user_id: user.display_name or user.email for user in users.values()}
