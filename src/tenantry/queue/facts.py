"""What events of the queue tell beside what happened: read for many items at once, by Tenantry itself."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from tenantry.database.tables import batches, queue_counts, queue_items
from tenantry.queue.base import QueueRepository
from tenantry.queue.conditions import counts_everything, has_status
from tenantry.queue.sessions import session_id_of
from tenantry.queue.states import Status
from tenantry.queue.status import Counts
from tenantry.repositories.base import among

__all__ = ["ItemFacts", "QueueFacts", "QueueNow"]


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item as it is now. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    item_id: int
    user_id: str
    queue_id: str
    batch_id: str
    session_id: str
    origin: str | None
    destination: str | None
    status_sequence: int
    error_type: str | None
    error_message: str | None
    error_traceback: str | None
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue: everybody's counts, each user's, and one of the items that run."""

    everybody: Counts
    by_user: Mapping[str, Counts]
    running: ItemFacts | None


class QueueFacts(QueueRepository):
    """Reads across users, for the delivery of events."""

    __slots__ = ()

    async def items(self, item_ids: Collection[int]) -> dict[int, ItemFacts]:
        """Those of these items that are still there, by their ids."""
        self._only_privileged("read everybody's items")
        wanted = among(self._dialect, queue_items.c.item_id, list(item_ids))
        rows = await self._connection.fetch_all(_items().where(wanted))
        return {row.item_id: _facts(row) for row in rows}

    async def batches(self, batch_ids: Collection[str]) -> dict[str, Counts]:
        """How many items of these batches have each status."""
        self._only_privileged("read everybody's batches")
        query = (
            sa.select(batches.c.batch_id, queue_items.c.status, sa.func.count().label("number"))
            .join_from(batches, queue_items, queue_items.c.batch_key == batches.c.batch_key)
            .where(among(self._dialect, batches.c.batch_id, list(batch_ids)))
            .group_by(batches.c.batch_id, queue_items.c.status)
        )
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        for row in await self._connection.fetch_all(query):
            counts[row.batch_id][row.status] = row.number
        return {batch_id: Counts(**counts[batch_id]) for batch_id in batch_ids}

    async def queue(self, queue_id: str) -> QueueNow:
        """How a queue goes, for everybody and for each."""
        self._only_privileged("read everybody's counts")
        everybody: dict[str, int] = defaultdict(int)
        by_user: dict[str, dict[str, int]] = defaultdict(dict)
        for row in await self._connection.fetch_all(_counts(), {"of_queue": queue_id}):
            everybody[row.status] += row.number
            by_user[row.user_id][row.status] = row.number
        counts = {user_id: Counts(**found) for user_id, found in by_user.items()}
        running = await self._running(queue_id) if everybody.get(Status.IN_PROGRESS) else None
        return QueueNow(Counts(**everybody), counts, running)

    async def everywhere(self) -> dict[Status, int]:
        """How many items of all queues have each status."""
        self._only_privileged("read everybody's counts")
        return {Status(row.status): int(row.number) for row in await self._connection.fetch_all(_all_counts())}

    async def _running(self, queue_id: str) -> ItemFacts | None:
        running = [has_status(queue_items.c, Status.IN_PROGRESS), queue_items.c.queue_id == queue_id]
        row = await self._connection.fetch_one(_items().where(*running).order_by(queue_items.c.item_id).limit(1))
        return None if row is None else _facts(row)


_ITEM = (
    *("item_id", "user_id", "queue_id", "session_id", "status_sequence", "error_type", "error_message", "error_traceback"),
    *("created_at", "updated_at", "started_at", "completed_at"),
)
_BATCH = ("batch_id", "session_base", "origin", "destination")


@cache
def _items() -> Select[Any]:
    columns = [*(queue_items.c[name] for name in _ITEM), *(batches.c[name] for name in _BATCH)]
    return sa.select(*columns).join_from(queue_items, batches, batches.c.batch_key == queue_items.c.batch_key)


@cache
def _counts() -> Select[Any]:
    counts = queue_counts.c
    here = counts.queue_id == sa.bindparam("of_queue", type_=sa.Text())
    return sa.select(counts.user_id, counts.status, counts["items"].label("number")).where(here, counts_everything(counts))


@cache
def _all_counts() -> Select[Any]:
    counts = queue_counts.c
    number = sa.func.sum(counts["items"]).label("number")
    return sa.select(counts.status, number).where(counts_everything(counts)).group_by(counts.status)


def _facts(row: sa.Row[Any]) -> ItemFacts:
    values = row._asdict()
    base, session_id = values.pop("session_base"), values.pop("session_id")
    return ItemFacts(**values, session_id=session_id_of(base, row.item_id) if session_id is None else session_id)
