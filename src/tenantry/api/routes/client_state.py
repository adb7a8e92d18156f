"""What a user's clients keep on the server. The queue in the address is ignored; InvokeAI's clients send it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses

__all__ = ["router"]

router = APIRouter(
    prefix="/client_state/{queue_id}",
    tags=["client_state"],
    responses=responses(HTTPStatus.UNAUTHORIZED),
)
Queue = Annotated[str, Path(description="Ignored.")]
Key = Annotated[str, Query(description="Under which name.")]


@router.get("/get_by_key", operation_id="get_client_state_by_key", summary="Get a value")
async def get_client_state_by_key(caller: SignedIn, queue_id: Queue, key: Key) -> str | None:
    """The value, or null."""
    async with caller.read() as work:
        return await work.client_state.get(key)


@router.post("/set_by_key", operation_id="set_client_state", summary="Set a value")
async def set_client_state(caller: SignedIn, queue_id: Queue, key: Key, value: Annotated[str, Body()]) -> str:
    """Keep a text, which is also the answer."""
    async with caller.change() as work:
        return await work.client_state.set(key, value)


@router.get("/get_keys_by_prefix", operation_id="get_client_state_keys_by_prefix", summary="List keys")
async def get_client_state_keys_by_prefix(
    caller: SignedIn, queue_id: Queue, prefix: Annotated[str, Query(description="How the keys begin.")]
) -> list[str]:
    """The keys that begin so, last written first."""
    async with caller.read() as work:
        return await work.client_state.keys_with_prefix(prefix)


@router.post("/delete_by_key", operation_id="delete_client_state_by_key", summary="Forget a value")
async def delete_client_state_by_key(caller: SignedIn, queue_id: Queue, key: Key) -> None:
    async with caller.change() as work:
        await work.client_state.delete(key)


@router.post("/delete", operation_id="delete_client_state", summary="Forget everything")
async def delete_client_state(caller: SignedIn, queue_id: Queue) -> None:
    async with caller.change() as work:
        await work.client_state.clear()
