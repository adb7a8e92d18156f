"""With whom a board is shared."""

from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.boards import ShareDTO, ShareRequest

__all__ = ["router"]

router = APIRouter(
    prefix="/boards",
    tags=["boards"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)


@router.get("/{board_id}/shares", operation_id="list_board_shares", summary="List a board's shares")
async def list_board_shares(caller: SignedIn, board_id: str) -> list[ShareDTO]:
    """All shares for those who manage the board; others who see it get their own."""
    async with caller.read() as work:
        return [ShareDTO.of(share) for share in await work.shares.of_board(board_id)]


@router.post("/{board_id}/share", operation_id="share_board", summary="Share a board", status_code=201)
async def share_board(caller: SignedIn, board_id: str, request: ShareRequest) -> list[ShareDTO]:
    """Let users see the board (`read`), put things on it (`write`), or manage it too (`admin`)."""
    async with caller.change() as work:
        return [ShareDTO.of(share) for share in await work.shares.grant(board_id, request.user_ids, request.permission)]


@router.delete("/{board_id}/share/{user_id}", operation_id="unshare_board", summary="End a share", status_code=204)
async def unshare_board(caller: SignedIn, board_id: str, user_id: str) -> None:
    """End a share; anybody may end the one that was given to them."""
    async with caller.change() as work:
        await work.shares.revoke(board_id, user_id)
