"""Lists of the queue's items: everybody's, of which others' are redacted."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import StreamingResponse

from tenantry.api.caller import Caller, SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import Cursor, ItemFilters, PageLimit, QueueOfPath
from tenantry.api.shapes.common import Direction
from tenantry.api.shapes.queue_items import (
    ItemIds,
    ItemIdsResult,
    QueueItemSlice,
    SessionQueueItem,
    SessionQueueItemSummary,
)
from tenantry.queue import QueueItem, UnitOfWork

__all__ = ["router"]

router = APIRouter(prefix="/queue/{queue_id}", tags=["queue"], responses=responses(HTTPStatus.UNAUTHORIZED))
Named = Annotated[ItemIds, Body(embed=True, description="Their numbers.")]

_AT_ONCE = 25
"""Items with their documents that are read and written in one go."""


@router.get("/items", operation_id="list_queue_items", summary="List items")
async def list_queue_items(
    caller: SignedIn, queue_id: QueueOfPath, filters: ItemFilters, cursor: Cursor = None, limit: PageLimit = 50
) -> QueueItemSlice:
    """Items without their documents, the newest first.

    Whose an item is, its batch, origin, destination and error are its owner's to know: such a filter finds one's own only.
    """
    async with caller.read() as work:
        return QueueItemSlice.of(await work.queue.slice(queue_id, filters, cursor=cursor, limit=limit))


@router.get("/list_all", operation_id="list_all_queue_items", summary="List all items", response_model=list[SessionQueueItem])
async def list_all_queue_items(
    caller: SignedIn,
    queue_id: QueueOfPath,
    destination: Annotated[str | None, Query(description="Only one's own for this destination.")] = None,
) -> StreamingResponse:
    """All items with their documents, by priority and age; `items` is lighter."""
    async with caller.read() as work:
        item_ids = await work.queue.ids_by_priority(queue_id, destination)
    return await _whole(caller, queue_id, item_ids)


@router.get("/item_ids", operation_id="get_queue_item_ids", summary="List the numbers of all items")
async def get_queue_item_ids(
    caller: SignedIn, queue_id: QueueOfPath, order_dir: Direction = Direction.DESCENDING
) -> ItemIdsResult:
    """The numbers of everybody's items; what `items_by_ids` shows of others' is redacted."""
    async with caller.read() as work:
        item_ids = await work.queue.item_ids(queue_id, descending=order_dir is Direction.DESCENDING)
    return ItemIdsResult(item_ids=item_ids, total_count=len(item_ids))


@router.post(
    "/items_by_ids",
    operation_id="get_queue_items_by_item_ids",
    summary="Get items by their numbers",
    response_model=list[SessionQueueItem],
)
async def get_queue_items_by_item_ids(caller: SignedIn, queue_id: QueueOfPath, item_ids: Named) -> StreamingResponse:
    """Items with their documents, in the order of the numbers; those that are not in the queue are left out."""
    return await _whole(caller, queue_id, item_ids)


@router.post(
    "/item_summaries_by_ids", operation_id="get_queue_item_summaries_by_ids", summary="Get items by their numbers, in short"
)
async def get_queue_item_summaries_by_ids(
    caller: SignedIn, queue_id: QueueOfPath, item_ids: Named
) -> list[SessionQueueItemSummary]:
    """What a list shows of items, in the order of the numbers; those that are not in the queue are left out."""
    async with caller.read() as work:
        return [SessionQueueItemSummary.of(item) for item in await work.queue.many(item_ids, queue_id)]


@router.get("/current", operation_id="get_current_queue_item", summary="Get an item that runs")
async def get_current_queue_item(caller: SignedIn, queue_id: QueueOfPath) -> SessionQueueItem | None:
    """One of those that run, or null."""
    async with caller.read() as work:
        return await _detailed(work, await work.queue.current_item(queue_id))


@router.get("/next", operation_id="get_next_queue_item", summary="Get the first item that waits")
async def get_next_queue_item(caller: SignedIn, queue_id: QueueOfPath) -> SessionQueueItem | None:
    """Of those that wait the one of the highest priority, then the oldest, whoever's turn it is; or null."""
    async with caller.read() as work:
        return await _detailed(work, await work.queue.next_item(queue_id))


async def _detailed(work: UnitOfWork, item: QueueItem | None) -> SessionQueueItem | None:
    return None if item is None else SessionQueueItem.of_detail(await work.queue.get(item.item_id))


async def _whole(caller: Caller, queue_id: str, item_ids: Sequence[int]) -> StreamingResponse:
    """Any number of items as a JSON list, never all of them in memory; what is deleted meanwhile is left out."""
    parts = _written(caller, queue_id, item_ids)
    # The first part is read before the answer begins, so that an error is an answer too.
    first = await anext(parts)
    return StreamingResponse(_chained(first, parts), media_type="application/json")


async def _written(caller: Caller, queue_id: str, item_ids: Sequence[int]) -> AsyncIterator[str]:
    before = "["
    for start in range(0, len(item_ids), _AT_ONCE):
        async with caller.read() as work:
            details = await work.queue.details(item_ids[start : start + _AT_ONCE], queue_id)
        for detail in details:
            yield before + SessionQueueItem.of_detail(detail).model_dump_json()
            before = ","
    yield "]" if before == "," else "[]"


async def _chained(first: str, parts: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for part in parts:
        yield part
