"""One item of the queue. Everybody sees that it is there and how it goes; only its owner changes it."""

from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import ItemOfPath, QueueOfPath, find
from tenantry.api.shapes.queue_items import QueueItemPosition, SessionQueueItem
from tenantry.queue import Order

__all__ = ["router"]

router = APIRouter(
    prefix="/queue/{queue_id}/i/{item_id}",
    tags=["queue"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
_CHANGED = responses(HTTPStatus.FORBIDDEN)


@router.get("", operation_id="get_queue_item", summary="Get an item", response_model_exclude_none=True)
async def get_queue_item(caller: SignedIn, queue_id: QueueOfPath, item_id: ItemOfPath) -> SessionQueueItem:
    """An item with its documents; members that are null are left out."""
    async with caller.read() as work:
        await find(work, queue_id, item_id)
        return SessionQueueItem.of_detail(await work.queue.get(item_id))


@router.get(
    "/position",
    operation_id="get_queue_item_position",
    summary="Get an item's place in the line",
    responses=responses(HTTPStatus.CONFLICT),
)
async def get_queue_item_position(caller: SignedIn, queue_id: QueueOfPath, item_id: ItemOfPath) -> QueueItemPosition:
    """How many items come before one that waits, and how long it is likely to take."""
    async with caller.read() as work:
        await find(work, queue_id, item_id)
        order = Order(caller.settings.queue_order)
        return QueueItemPosition.of(await work.queue.position(item_id, order=order))


@router.put("/cancel", operation_id="cancel_queue_item", summary="Cancel an item", responses=_CHANGED)
async def cancel_queue_item(caller: SignedIn, queue_id: QueueOfPath, item_id: ItemOfPath) -> SessionQueueItem:
    """Cancel an item and the call tree that it belongs to; one that has ended stays as it is."""
    async with caller.change() as work:
        await find(work, queue_id, item_id)
        await work.queue.cancel(item_id)
        return SessionQueueItem.of_detail(await work.queue.get(item_id))


@router.delete("", operation_id="delete_queue_item", summary="Delete an item", responses=_CHANGED)
async def delete_queue_item(caller: SignedIn, queue_id: QueueOfPath, item_id: ItemOfPath) -> None:
    """Delete an item and the call tree that it belongs to, canceling first what has not ended."""
    async with caller.change() as work:
        await find(work, queue_id, item_id)
        await work.queue.delete(item_id)
