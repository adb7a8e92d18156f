"""Changes of many items of the queue: of one's own, and an administrator's of everybody's."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query

from tenantry.api.caller import Caller, SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import QueueOfPath
from tenantry.api.shapes.queue_batches import BatchIds, CanceledItems, DeletedItems, RetryItemsResult
from tenantry.api.shapes.queue_items import ItemIds
from tenantry.errors import NotFound

__all__ = ["prune_in_steps", "router"]

router = APIRouter(prefix="/queue/{queue_id}", tags=["queue"], responses=responses(HTTPStatus.UNAUTHORIZED))
_DESTINATION = responses(HTTPStatus.NOT_FOUND)
_STEP = 5_000
"""Items of a long history that are deleted at once."""

_RETRIED = responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)


@router.put("/cancel_all_except_current", operation_id="cancel_all_except_current", summary="Cancel all that waits")
async def cancel_all_except_current(caller: SignedIn, queue_id: QueueOfPath) -> CanceledItems:
    """Cancel what waits, but for what belongs to an item that runs."""
    async with caller.change() as work:
        return CanceledItems.of(await work.queue.cancel_all_except_current(queue_id))


@router.put("/delete_all_except_current", operation_id="delete_all_except_current", summary="Delete all that waits")
async def delete_all_except_current(caller: SignedIn, queue_id: QueueOfPath) -> DeletedItems:
    """Delete what waits, but for what belongs to an item that runs."""
    async with caller.change() as work:
        return DeletedItems.of(await work.queue.delete_all_except_current(queue_id))


@router.put("/cancel_by_batch_ids", operation_id="cancel_by_batch_ids", summary="Cancel batches")
async def cancel_by_batch_ids(
    caller: SignedIn, queue_id: QueueOfPath, batch_ids: Annotated[BatchIds, Body(embed=True)]
) -> CanceledItems:
    """Cancel what has not ended of some batches; those that one does not have count for nothing."""
    async with caller.change() as work:
        return CanceledItems.of(await work.queue.cancel_batches(batch_ids, queue_id))


@router.put(
    "/cancel_by_destination",
    operation_id="cancel_by_destination",
    summary="Cancel what is for a destination",
    responses=_DESTINATION,
)
async def cancel_by_destination(
    caller: SignedIn, queue_id: QueueOfPath, destination: Annotated[str, Query(description="What they are for.")]
) -> CanceledItems:
    """Cancel what has not ended for a destination."""
    async with caller.change() as work:
        return CanceledItems.of(await work.queue.cancel_destination(destination, queue_id))


@router.delete(
    "/d/{destination}",
    operation_id="delete_by_destination",
    summary="Delete what is for a destination",
    responses=_DESTINATION,
)
async def delete_by_destination(caller: SignedIn, queue_id: QueueOfPath, destination: str) -> DeletedItems:
    """Delete everything for a destination, canceling first what runs."""
    async with caller.change() as work:
        return DeletedItems.of(await work.queue.delete_destination(destination, queue_id))


@router.put("/retry_items_by_id", operation_id="retry_items_by_id", summary="Queue items again", responses=_RETRIED)
async def retry_items_by_id(
    caller: SignedIn, queue_id: QueueOfPath, item_ids: Annotated[ItemIds, Body(description="Their numbers.")]
) -> RetryItemsResult:
    """Queue items again that failed or were canceled, all or none; others, and those that are gone, are passed by."""
    async with caller.change() as work:
        if item_ids and not await work.queue.many(item_ids, queue_id):
            raise NotFound("queue item", field="item_ids")
        return RetryItemsResult.of(queue_id, await work.queue.retry(item_ids, queue_id))


@router.put("/clear", operation_id="clear", summary="Delete everything")
async def clear(caller: SignedIn, queue_id: QueueOfPath) -> DeletedItems:
    """Delete all items, canceling first what runs."""
    async with caller.change() as work:
        return DeletedItems.of(await work.queue.clear(queue_id))


@router.put("/prune", operation_id="prune", summary="Delete what has ended")
async def prune(caller: SignedIn, queue_id: QueueOfPath) -> DeletedItems:
    """Delete the items that were completed, failed, or were canceled."""
    return DeletedItems(deleted=await prune_in_steps(caller, queue_id))


async def prune_in_steps(caller: Caller, queue_id: str, user_id: str | None = None) -> int:
    """Delete what has ended; answers how much. Between two steps every other writer gets its turn."""
    deleted = 0
    step = _STEP
    while step == _STEP:
        async with caller.change() as work:
            step = (await work.queue.prune(queue_id, user_id=user_id, most=_STEP)).total
        deleted += step
    return deleted
