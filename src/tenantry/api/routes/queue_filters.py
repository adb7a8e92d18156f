"""What stands in the addresses of the queue's routes, and the filters of its lists."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query

from tenantry.api.shapes.queue_items import ItemId
from tenantry.database import timestamp
from tenantry.errors import InvalidInput, NotFound
from tenantry.queue import ItemFilter, QueueItem, Status, UnitOfWork
from tenantry.repositories.pages import MAX_LIMIT

__all__ = ["Cursor", "ItemFilters", "ItemOfPath", "PageLimit", "QueueOfPath", "find"]

QueueOfPath = Annotated[str, Path(description="Which queue; clients use `default`.")]
ItemOfPath = Annotated[ItemId, Path(description="The item's number.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the part before.")]
PageLimit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many to give at most.")]

_Exactly = Annotated[str | None, Query(description="Only those with exactly this.")]
_Moment = Annotated[datetime | None, Query(description="A time, in UTC unless it says otherwise.")]


def _filters(
    status: Annotated[Status | None, Query(description="Only those of this status.")] = None,
    user_id: _Exactly = None,
    batch_id: _Exactly = None,
    origin: _Exactly = None,
    destination: _Exactly = None,
    created_after: _Moment = None,
    created_before: _Moment = None,
    error: Annotated[str | None, Query(max_length=200, description="A part of the error's type or message.")] = None,
) -> ItemFilter:
    return ItemFilter(
        status=status,
        user_id=user_id,
        batch_id=batch_id,
        origin=origin,
        destination=destination,
        created_after=_stored(created_after, "query.created_after"),
        created_before=_stored(created_before, "query.created_before"),
        error=error,
    )


ItemFilters = Annotated[ItemFilter, Depends(_filters)]


def _stored(moment: datetime | None, field: str) -> str | None:
    """A time as the database has it. Raises `InvalidInput` for one that is at no year of UTC."""
    if moment is None:
        return None
    try:
        return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:
        raise InvalidInput("This time is out of range.", field=field, remedy="Give it in UTC.") from None


async def find(work: UnitOfWork, queue_id: str, item_id: int) -> QueueItem:
    """The item of the queue. Raises `NotFound`, also for an item of another queue."""
    found = await work.queue.many([item_id], queue_id)
    if not found:
        raise NotFound("queue item", field="item_id")
    return found[0]
