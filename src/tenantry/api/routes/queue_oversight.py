"""Everybody's items, for administrators: who has how many, and changes of one user's."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query

from tenantry.api.caller import Administrator
from tenantry.api.problems import responses
from tenantry.api.routes.queue_bulk import prune_in_steps
from tenantry.api.routes.queue_filters import Cursor, ItemFilters, ItemOfPath, PageLimit, QueueOfPath, find
from tenantry.api.shapes.queue_administration import QueueOverview
from tenantry.api.shapes.queue_batches import CanceledItems, DeletedItems, RetryItemsResult
from tenantry.api.shapes.queue_items import ItemIds, QueueItemPosition, QueueItemSlice
from tenantry.queue import Order, UnitOfWork

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/queue/q/{queue_id}",
    tags=["administration"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
_ABSENT = responses(HTTPStatus.NOT_FOUND)
_FIRST = responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_RETRIED = responses(HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)
Hours = Annotated[float, Query(gt=0, le=366 * 24, description="The window: the last so many hours.")]


@router.get("/overview", operation_id="get_queue_overview", summary="See how users are served")
async def get_queue_overview(caller: Administrator, queue_id: QueueOfPath, hours: Hours = 24) -> QueueOverview:
    """Each user's items by status, and of the window how long they waited and ran."""

    async def overview(work: UnitOfWork) -> QueueOverview:
        status = await work.queue.status(queue_id)
        found = await work.queue_administration.statistics(queue_id, window=timedelta(hours=hours))
        return QueueOverview.of(status, found, await work.users.get_many([each.user_id for each in found.users]))

    # A long window is reckoned over tens of thousands of items, for which no other request shall wait.
    return await asyncio.to_thread(caller.studio.direct.reading, caller.principal, overview)


@router.get("/items", operation_id="list_items_of_everybody", summary="List everybody's items")
async def list_items_of_everybody(
    caller: Administrator, queue_id: QueueOfPath, filters: ItemFilters, cursor: Cursor = None, limit: PageLimit = 50
) -> QueueItemSlice:
    """Everybody's items without their documents, the newest first."""
    async with caller.read() as work:
        return QueueItemSlice.of(await work.queue.slice(queue_id, filters, cursor=cursor, limit=limit))


@router.put("/i/{item_id}/put_first", operation_id="put_item_first", summary="Put an item first", responses=_FIRST)
async def put_item_first(caller: Administrator, queue_id: QueueOfPath, item_id: ItemOfPath) -> QueueItemPosition:
    """Let an item that waits be the next, whoever's turn it is; its user's limits still hold."""
    async with caller.change() as work:
        await find(work, queue_id, item_id)
        await work.queue.put_first(item_id)
        order = Order(caller.settings.queue_order)
        return QueueItemPosition.of(await work.queue.position(item_id, order=order))


@router.put("/users/{user_id}/cancel", operation_id="cancel_items_of_user", summary="Cancel a user's items", responses=_ABSENT)
async def cancel_items_of_user(caller: Administrator, queue_id: QueueOfPath, user_id: str) -> CanceledItems:
    """Cancel all of a user's items that have not ended."""
    async with caller.change() as work:
        await _check(work, user_id)
        return CanceledItems.of(await work.queue.cancel_queue(queue_id, user_id=user_id))


@router.put(
    "/users/{user_id}/retry", operation_id="retry_items_of_user", summary="Queue a user's items again", responses=_RETRIED
)
async def retry_items_of_user(
    caller: Administrator, queue_id: QueueOfPath, user_id: str, item_ids: Annotated[ItemIds, Body(embed=True)]
) -> RetryItemsResult:
    """Queue items of a user again that failed or were canceled, all or none; other users' are passed by."""
    async with caller.change() as work:
        await _check(work, user_id)
        theirs = [item.item_id for item in await work.queue.many(item_ids, queue_id) if item.user_id == user_id]
        return RetryItemsResult.of(queue_id, await work.queue.retry(theirs, queue_id))


@router.put("/users/{user_id}/prune", operation_id="prune_items_of_user", summary="Delete what has ended", responses=_ABSENT)
async def prune_items_of_user(caller: Administrator, queue_id: QueueOfPath, user_id: str) -> DeletedItems:
    """Delete a user's items that have ended."""
    async with caller.read() as work:
        await _check(work, user_id)
    return DeletedItems(deleted=await prune_in_steps(caller, queue_id, user_id))


@router.put("/users/{user_id}/clear", operation_id="clear_items_of_user", summary="Delete a user's items", responses=_ABSENT)
async def clear_items_of_user(caller: Administrator, queue_id: QueueOfPath, user_id: str) -> DeletedItems:
    """Delete all of a user's items, canceling first what runs."""
    async with caller.change() as work:
        await _check(work, user_id)
        return DeletedItems.of(await work.queue.clear(queue_id, user_id=user_id))


async def _check(work: UnitOfWork, user_id: str) -> None:
    """Raise `NotFound` for a user that there is not, instead of doing nothing."""
    await work.queue_administration.of_user(user_id)
