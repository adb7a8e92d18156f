"""A user's own API keys."""

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import LoggedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.api_keys import ApiKeyDTO, ApiKeyRequest, NewApiKeyDTO
from tenantry.repositories.api_keys import MAX_KEYS

__all__ = ["router"]

router = APIRouter(prefix="/auth/keys", tags=["api_keys"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))


@router.get("/", operation_id="list_api_keys", summary="List one's API keys")
async def list_api_keys(caller: LoggedIn) -> list[ApiKeyDTO]:
    """Newest first, also those that are no longer good."""
    async with caller.read() as work:
        return [ApiKeyDTO.of(key) for key in (await work.api_keys.slice(user_id=caller.user_id, limit=MAX_KEYS)).items]


@router.post(
    "/", operation_id="create_api_key", summary="Make an API key", status_code=201, responses=responses(HTTPStatus.CONFLICT)
)
async def create_api_key(caller: LoggedIn, request: ApiKeyRequest) -> NewApiKeyDTO:
    """The answer is the only one that holds the key itself. It never allows more than its user may do."""
    lifetime = None if request.days is None else timedelta(days=request.days)
    made = await caller.studio.accounts.create_key(caller.user_id, request.name, request.scopes, lifetime, by=caller.principal)
    return NewApiKeyDTO.made(made)


@router.delete(
    "/{key_id}",
    operation_id="delete_api_key",
    summary="Delete an API key",
    status_code=204,
    responses=responses(HTTPStatus.NOT_FOUND),
)
async def delete_api_key(caller: LoggedIn, key_id: str) -> None:
    """It opens nothing from now on, and event streams that it opened are closed."""
    async with caller.change() as work:
        await work.api_keys.delete(key_id, user_id=caller.user_id)
