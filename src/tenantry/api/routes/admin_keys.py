"""Everybody's API keys, for administrators."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.api.caller import Administrator
from tenantry.api.problems import responses
from tenantry.api.shapes.api_keys import ApiKeyDTO, ApiKeyPage
from tenantry.repositories.pages import MAX_LIMIT

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/keys", tags=["administration"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
)


@router.get("/", operation_id="list_everybodys_api_keys", summary="List everybody's API keys")
async def list_everybodys_api_keys(
    caller: Administrator,
    user_id: Annotated[str | None, Query(description="Only this user's.")] = None,
    cursor: Annotated[str | None, Query(description="Where the part before ended.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> ApiKeyPage:
    """Newest first; of the keys themselves only how they begin."""
    async with caller.read() as work:
        found = await work.api_keys.slice(user_id=user_id, cursor=cursor, limit=limit)
    return ApiKeyPage(items=[ApiKeyDTO.of(key) for key in found.items], next_cursor=found.next_cursor)


@router.delete(
    "/{key_id}",
    operation_id="revoke_api_key",
    summary="Revoke somebody's API key",
    status_code=204,
    responses=responses(HTTPStatus.NOT_FOUND),
)
async def revoke_api_key(caller: Administrator, key_id: str) -> None:
    async with caller.change() as work:
        await work.api_keys.delete(key_id)
