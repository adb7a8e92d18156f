"""The place of an item in the line, and how long it is likely to wait."""

from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database.clock import seconds_between
from tenantry.database.tables import queue_items, workers
from tenantry.errors import IllegalTransition, NotFound
from tenantry.queue.base import shared_moment
from tenantry.queue.conditions import has_ended, has_status
from tenantry.queue.fairness import Order, Turn, ahead_of
from tenantry.queue.scheduling import Scheduling, turns_of
from tenantry.queue.states import Status
from tenantry.tenancy import InternalReason

__all__ = ["Position", "Positions"]

_RECENT = 50
"""Finished items whose duration tells how long one takes."""


@dataclass(frozen=True, slots=True)
class Position:
    """How many items come before this one, and the seconds until it is likely to begin; None where nothing tells."""

    item_id: int
    ahead: int
    seconds: float | None


class Positions(Scheduling):
    """Reads of the line; they tell numbers only, so everybody may ask about every item."""

    __slots__ = ()

    async def position(self, item_id: int, *, order: Order = Order.FAIR) -> Position:
        """Where a pending item stands, if nothing else comes and no limit holds anybody back.

        Raises `NotFound`, and `IllegalTransition` for an item that is not pending.
        """
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            items = queue_items.c
            columns = (items.queue_id, items.user_id, items.status, items.priority, items.put_first)
            row = await self._connection.fetch_one(sa.select(*columns).where(items.item_id == item_id))
            if row is None:
                raise NotFound("queue item", field="item_id")
            if row.status != Status.PENDING.value:
                raise IllegalTransition(row.status, "the next to run")
            before = sa.or_(items.priority > row.priority, sa.and_(items.priority == row.priority, items.item_id < item_id))
            line = [items.queue_id == row.queue_id, has_status(items, Status.PENDING)]
            first = await self._count(*line, items.put_first.is_not(None), items.put_first < (row.put_first or 1))
            if row.put_first is not None:
                ahead = first
            elif order is Order.FIFO:
                ahead = first + await self._count(*line, before, items.put_first.is_(None))
            else:
                mine = [items.user_id == row.user_id, items.put_first.is_(None)]
                own = await self._count(*line, *mine, before)
                waiting = await self._waiting(row.queue_id, order)
                turns = turns_of(waiting) or [Turn(row.user_id, own + 1)]
                time = waiting[0].domain_time if waiting else 0
                ahead = first + own + ahead_of(order, turns, row.user_id, own, time)
            return Position(item_id, ahead, await self._estimate(row.queue_id, ahead))

    async def _count(self, *conditions: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(queue_items).where(*conditions)
        return int(await self._connection.fetch_value(query))

    async def _estimate(self, queue_id: str, ahead: int) -> float | None:
        """Seconds until so many items have begun, judged by the last that were completed and the workers there are."""
        items = queue_items.c
        recent = (
            sa.select(items.started_at, items.completed_at)
            .where(
                items.queue_id == queue_id,
                has_ended(),
                items.started_at.is_not(None),
            )
            .order_by(items.completed_at.desc())
            .limit(_RECENT)
        )
        taken = [seconds_between(row.started_at, row.completed_at) for row in await self._connection.fetch_all(recent)]
        alive = sa.select(sa.func.sum(workers.c.concurrency)).where(
            workers.c.expires_at > shared_moment(self._by_database),
            workers.c.draining == sa.false(),
            sa.or_(workers.c.queue_id.is_(None), workers.c.queue_id == queue_id),
        )
        slots = int(await self._connection.fetch_value(alive, self._moment()) or 0)
        if not taken or not slots:
            return None
        running = await self._count(items.queue_id == queue_id, has_status(items, Status.IN_PROGRESS))
        return max(ahead + 1 + running - slots, 0) * (sum(taken) / len(taken)) / slots
