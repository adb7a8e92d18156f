"""How the queue goes, from the counts that are kept, never by counting items."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from tenantry.database.tables import batches, queue_counts, queue_items, queues
from tenantry.errors import NotFound
from tenantry.queue.base import ALL_QUEUES, DEFAULT_QUEUE
from tenantry.queue.conditions import counts_everything
from tenantry.queue.items import QueueItem
from tenantry.queue.lists import ItemLists
from tenantry.repositories.queue_counts import named_destination
from tenantry.tenancy import InternalReason

__all__ = ["BatchStatus", "Counts", "QueueStatus", "StatusReads"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items have each status."""

    pending: int = 0
    in_progress: int = 0
    waiting: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.in_progress + self.waiting + self.completed + self.failed + self.canceled

    @property
    def finished(self) -> int:
        return self.completed + self.failed + self.canceled


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """A queue: everybody's counts, one's own, and one of the items that run (redacted, where it is somebody else's)."""

    queue_id: str
    everybody: Counts
    own: Counts
    current: QueueItem | None
    paused: bool


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch and how many of its items have each status."""

    queue_id: str
    batch_id: str
    user_id: str
    origin: str | None
    destination: str | None
    counts: Counts


class StatusReads(ItemLists):
    """Reads that cost the same however much was ever queued."""

    __slots__ = ()

    async def status(self, queue_id: str = DEFAULT_QUEUE) -> QueueStatus:
        """How a queue goes."""
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            rows = await self._connection.fetch_all(_counts(), {"of_queue": queue_id, "me": self._me})
            paused = await self._connection.fetch_value(_paused(), {"of_queue": queue_id})
            counts = {row.status: row for row in rows}
            everybody = Counts(**{status: int(row.everybody) for status, row in counts.items()})
            own = Counts(**{status: int(row.own or 0) for status, row in counts.items()})
            current = await self.current_item(queue_id) if everybody.in_progress else None
        return QueueStatus(queue_id, everybody, own, current, bool(paused))

    async def batch_status(self, batch_id: str) -> BatchStatus:
        """How one of one's own batches goes. Raises `NotFound`."""
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            query = sa.select(batches).where(batches.c.batch_id == batch_id)
            if not self._everything:
                query = query.where(batches.c.user_id == self._me)
            batch = await self._connection.fetch_one(query)
            if batch is None:
                raise NotFound("batch")
            items = queue_items.c
            counted = (
                sa.select(items.status, sa.func.count().label("number"))
                .where(items.batch_key == batch.batch_key)
                .group_by(items.status)
            )
            counts = Counts(**{row.status: row.number for row in await self._connection.fetch_all(counted)})
        return BatchStatus(batch.queue_id, batch.batch_id, batch.user_id, batch.origin, batch.destination, counts)

    async def destination_counts(self, destination: str, queue_id: str = DEFAULT_QUEUE) -> Counts:
        """How many items for a destination have each status: a tenant's own, an administrator's of everybody."""
        counts = queue_counts.c
        query = sa.select(counts.status, sa.func.sum(counts["items"]).label("number")).where(
            counts.queue_id == queue_id, counts.destination == named_destination(destination)
        )
        if not self._everything:
            query = query.where(counts.user_id == self._me)
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            rows = await self._connection.fetch_all(query.group_by(counts.status))
        return Counts(**{row.status: int(row.number) for row in rows})

    async def is_empty(self, queue_id: str = DEFAULT_QUEUE) -> bool:
        """Whether a queue has no items at all, ended ones included."""
        return (await self.status(queue_id)).everybody.total == 0


@cache
def _counts() -> Select[Any]:
    counts = queue_counts.c
    own = sa.case((counts.user_id == sa.bindparam("me", type_=sa.Text()), counts["items"]))
    return (
        sa.select(counts.status, sa.func.sum(counts["items"]).label("everybody"), sa.func.sum(own).label("own"))
        .where(
            counts.queue_id == sa.bindparam("of_queue", type_=sa.Text()),
            counts_everything(counts),
        )
        .group_by(counts.status)
    )


@cache
def _paused() -> Select[Any]:
    here = sa.bindparam("of_queue", type_=sa.Text())
    return sa.select(sa.func.max(sa.cast(queues.c.paused, sa.Integer))).where(queues.c.queue_id.in_([here, ALL_QUEUES]))
