"""Retention: finished items, and what belongs to none any more, are deleted in small steps."""

from dataclasses import dataclass
from datetime import UTC, timedelta

import sqlalchemy as sa

from tenantry.database import timestamp
from tenantry.database.tables import batches, queue_counts, queue_items, queue_usage, queues
from tenantry.queue.conditions import counts_everything, has_ended, has_status
from tenantry.queue.deletions import Deletions
from tenantry.queue.states import FINAL
from tenantry.repositories.base import among

__all__ = ["Retention", "Swept"]

_KEPT = timedelta(days=1)
"""An empty batch stays so long, that its id and its idempotency key are not used again; so do records of use."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How much one step deleted, and the batch that it looked at last; 0 after all were looked at."""

    items: int
    batches: int
    records: int
    last_batch: int

    @property
    def total(self) -> int:
        return self.items + self.batches + self.records


class Retention(Deletions):
    """Deletes what is not to be kept; for administrators and Tenantry itself."""

    __slots__ = ()

    async def sweep(self, most: int = 500, *, after_batch: int = 0) -> Swept:
        """Delete up to `most` rows of each kind: finished items beyond their queue's history, empty batches, old records.

        Costs the same however much there is: of the batches it looks at the next `most` after `after_batch`.
        Raises `NotAllowed` for tenants.
        """
        self._only_privileged("delete the queue's history")
        items = 0
        query = sa.select(queues).where(sa.or_(queues.c.keep_items.is_not(None), queues.c.keep_days.is_not(None)))
        for queue in await self._connection.fetch_all(query.order_by(queues.c.queue_id)):
            if queue.keep_items is not None:
                items += await self._keep_newest(queue.queue_id, queue.keep_items, most)
            if queue.keep_days is not None:
                items += await self._keep_days(queue.queue_id, queue.keep_days, most)
        dropped, last = await self._drop_batches(after_batch, most)
        return Swept(items, dropped, await self._drop_records(most), last)

    async def keep_newest(self, queue_id: str, keep: int) -> int:
        """Keep only so many finished items of a queue, those that ended last; answers how many are gone."""
        self._only_privileged("delete the queue's history")
        deleted = 0
        while step := await self._keep_newest(queue_id, keep, 5_000):
            deleted += step
        return deleted

    async def _keep_newest(self, queue_id: str, keep: int, most: int) -> int:
        counts = queue_counts.c
        finished = sa.select(sa.func.sum(counts["items"])).where(
            counts.queue_id == queue_id,
            counts_everything(counts),
            has_status(counts, *sorted(FINAL)),
        )
        excess = int(await self._connection.fetch_value(finished) or 0) - keep
        return await self._delete_oldest(queue_id, sa.true(), min(excess, most)) if excess > 0 else 0

    async def _keep_days(self, queue_id: str, days: float, most: int) -> int:
        since = timestamp(self._ground.clock().astimezone(UTC) - timedelta(days=days))
        return await self._delete_oldest(queue_id, queue_items.c.completed_at < since, most)

    async def _delete_oldest(self, queue_id: str, condition: sa.ColumnElement[bool], most: int) -> int:
        items = queue_items.c
        oldest = (
            sa.select(items.item_id)
            .where(items.queue_id == queue_id, has_ended(), condition)
            .order_by(items.completed_at, items.item_id)
            .limit(most)
        )
        return len(await self._delete(items.item_id.in_(oldest)))

    async def _drop_batches(self, after: int, most: int) -> tuple[int, int]:
        """Forget batches without items, once they are old enough; answers how many, and the last that was looked at."""
        until = timestamp(self._ground.clock().astimezone(UTC) - _KEPT)
        batch = batches.c
        following = sa.select(batch.batch_key).where(batch.batch_key > after).order_by(batch.batch_key).limit(most)
        keys = [row.batch_key for row in await self._connection.fetch_all(following)]
        if not keys:
            return 0, 0
        empty = ~sa.exists().where(queue_items.c.batch_key == batch.batch_key)
        drop = sa.delete(batches).where(among(self._dialect, batch.batch_key, keys), batch.created_at < until, empty)
        return await self._connection.execute(drop), keys[-1]

    async def _drop_records(self, most: int) -> int:
        """Forget the oldest records of what was queued when."""
        until = timestamp(self._ground.clock().astimezone(UTC) - _KEPT)
        oldest = sa.select(queue_usage.c.usage_id).order_by(queue_usage.c.usage_id).limit(most)
        drop = sa.delete(queue_usage).where(queue_usage.c.usage_id.in_(oldest), queue_usage.c.created_at < until)
        return await self._connection.execute(drop)
