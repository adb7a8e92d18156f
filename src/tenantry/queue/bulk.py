"""Changes of many items at once; each a few statements, however many items it touches (contract, section 4.9).

A tenant's changes are about their own items. `user_id` limits an administrator's to one user's; without it they are about
everybody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import batches, queue_counts, queue_items
from tenantry.errors import NotFound
from tenantry.queue.base import DEFAULT_QUEUE, check_queue_id
from tenantry.queue.changes import ItemsCanceled, QueueCleared
from tenantry.queue.conditions import has_ended, has_status
from tenantry.queue.deletions import Deletions
from tenantry.queue.states import LIVE, Status
from tenantry.queue.transitions import Moved
from tenantry.repositories.base import among
from tenantry.repositories.queue_counts import named_destination
from tenantry.tenancy import InternalReason

__all__ = ["Bulk", "Touched"]


@dataclass(frozen=True, slots=True)
class Touched:
    """The items that a change of many touched, by their owners."""

    by_owner: dict[str, list[int]]

    @property
    def total(self) -> int:
        return sum(len(item_ids) for item_ids in self.by_owner.values())

    @property
    def item_ids(self) -> list[int]:
        return sorted(item_id for item_ids in self.by_owner.values() for item_id in item_ids)


class Bulk(Deletions):
    """Cancels, deletes and prunes sets of items."""

    __slots__ = ()

    async def cancel_batches(
        self, batch_ids: Sequence[str], queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None
    ) -> Touched:
        """Cancel what has not ended of these batches; unknown ones, and others', count for nothing."""
        keys = sa.select(batches.c.batch_key).where(among(self._dialect, batches.c.batch_id, list(batch_ids)))
        return await self._cancel_all(queue_id, user_id, queue_items.c.batch_key.in_(keys))

    async def cancel_destination(
        self, destination: str, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None
    ) -> Touched:
        """Cancel what has not ended for a destination. Raises `NotFound` for one that nothing is for."""
        await self._check_destination(destination, queue_id, user_id)
        # Looked at from the items that have not ended, which are few, and not from all that ever was for the destination.
        of_batch = batches.c.batch_key == queue_items.c.batch_key
        return await self._cancel_all(queue_id, user_id, sa.exists().where(of_batch, batches.c.destination == destination))

    async def cancel_queue(self, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None) -> Touched:
        """Cancel all that has not ended."""
        return await self._cancel_all(queue_id, user_id, sa.true())

    async def cancel_all_except_current(self, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None) -> Touched:
        """Cancel what waits, but for the call trees of what runs."""
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            wanted = sa.and_(queue_items.c.queue_id == check_queue_id(queue_id), *theirs, await self._not_current(queue_id))
            await self._hold(sa.and_(wanted, has_status(queue_items.c, Status.PENDING, Status.WAITING)))
            return self._canceled(await self._cancel_waiting(wanted))

    async def delete_all_except_current(self, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None) -> Touched:
        """Delete what waits, but for the call trees of what runs."""
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            return await self._delete_all(
                queue_items.c.queue_id == check_queue_id(queue_id),
                has_status(queue_items.c, Status.PENDING, Status.WAITING),
                *theirs,
                await self._not_current(queue_id),
            )

    async def delete_destination(
        self, destination: str, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None
    ) -> Touched:
        """Delete all that is for a destination, canceling first what runs. Raises `NotFound` for one that nothing is for."""
        theirs = self._theirs(user_id)
        await self._check_destination(destination, queue_id, user_id)
        keys = sa.select(batches.c.batch_key).where(batches.c.destination == destination, batches.c.queue_id == queue_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            wanted = [queue_items.c.queue_id == queue_id, *theirs, queue_items.c.batch_key.in_(keys)]
            await self._hold(sa.and_(*wanted))
            await self._sweep(Status.IN_PROGRESS, Status.CANCELED, sa.and_(*wanted))
            return await self._delete_all(*wanted)

    async def delete_items(self, item_ids: Sequence[int], *, user_id: str | None = None) -> Touched:
        """Delete items as they are, without their call trees; unknown ones, and others', count for nothing."""
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            return await self._delete_all(among(self._dialect, queue_items.c.item_id, list(item_ids)), *theirs)

    async def clear(self, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None) -> Touched:
        """Delete everything, canceling first what runs."""
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            wanted = [queue_items.c.queue_id == check_queue_id(queue_id), *theirs]
            await self._hold(sa.and_(*wanted))
            await self._sweep(Status.IN_PROGRESS, Status.CANCELED, sa.and_(*wanted))
            touched = await self._delete_all(*wanted)
        everybody = self._everything and user_id is None
        self._record(QueueCleared(user_id or self._me, queue_id, everybody))
        return touched

    async def prune(self, queue_id: str = DEFAULT_QUEUE, *, user_id: str | None = None, most: int | None = None) -> Touched:
        """Delete what has ended, at most so many."""
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            wanted = [queue_items.c.queue_id == check_queue_id(queue_id), *theirs, has_ended()]
            return await self._delete_all(*wanted, most=most)

    async def _cancel_all(self, queue_id: str, user_id: str | None, meant: ColumnElement[bool]) -> Touched:
        theirs = self._theirs(user_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            wanted = sa.and_(queue_items.c.queue_id == check_queue_id(queue_id), *theirs, meant)
            await self._hold(sa.and_(wanted, has_status(queue_items.c, *sorted(LIVE))))
            silent = await self._cancel_waiting(wanted)
            running = await self._sweep(Status.IN_PROGRESS, Status.CANCELED, wanted)
            return self._canceled(silent, running)

    async def _cancel_waiting(self, wanted: ColumnElement[bool]) -> list[Moved]:
        """Cancel what no worker holds, and tell each owner once."""
        pending = await self._sweep(Status.PENDING, Status.CANCELED, wanted, quietly=True)
        waiting = await self._sweep(Status.WAITING, Status.CANCELED, wanted, quietly=True)
        return pending + waiting

    def _canceled(self, silent: Sequence[Moved], running: Sequence[Moved] = ()) -> Touched:
        by_owner: dict[tuple[str, str], list[int]] = {}
        for item in silent:
            by_owner.setdefault((item.user_id, item.queue_id), []).append(item.item_id)
        self._record(*(ItemsCanceled(user, queue, tuple(sorted(ids))) for (user, queue), ids in sorted(by_owner.items())))
        return _touched([(item.user_id, item.item_id) for item in (*silent, *running)])

    async def _delete_all(self, *wanted: ColumnElement[bool], most: int | None = None) -> Touched:
        return _touched(await self._delete(sa.and_(*wanted), most=most))

    async def _check_destination(self, destination: str, queue_id: str, user_id: str | None) -> None:
        """Raise `NotFound` for a destination that none of the items is for that are meant."""
        self._theirs(user_id)
        counts = queue_counts.c
        query = sa.select(sa.true()).where(
            counts.queue_id == check_queue_id(queue_id),
            counts.destination == named_destination(destination),
            counts["items"] > 0,
        )
        only = user_id if self._everything else self._me
        if only is not None:
            query = query.where(counts.user_id == only)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE):
            if await self._connection.fetch_value(query.limit(1)) is None:
                raise NotFound("destination", field="destination")

    async def _not_current(self, queue_id: str) -> ColumnElement[bool]:
        """The condition that an item is in no call tree of what runs, or, if nothing runs, of the child that runs next."""
        items = queue_items.c
        roots = sa.select(sa.func.coalesce(items.root_item_id, items.item_id).label("root"))
        running = roots.where(items.queue_id == queue_id, has_status(items, Status.IN_PROGRESS))
        current = [row.root for row in await self._connection.fetch_all(running)]
        if not current:
            parent = queue_items.alias("parent")
            following = (
                roots.join(parent, parent.c.item_id == items.parent_item_id)
                .where(
                    items.queue_id == queue_id,
                    has_status(items, Status.PENDING),
                    has_status(parent.c, Status.WAITING),
                )
                .order_by(items.priority.desc(), items.created_at, items.item_id)
                .limit(1)
            )
            current = [row.root for row in await self._connection.fetch_all(following)]
        return sa.not_(among(self._dialect, sa.func.coalesce(items.root_item_id, items.item_id), current))


def _touched(items: Sequence[tuple[str, int]]) -> Touched:
    by_owner: dict[str, list[int]] = {}
    for user_id, item_id in sorted(items):
        by_owner.setdefault(user_id, []).append(item_id)
    return Touched(by_owner)
