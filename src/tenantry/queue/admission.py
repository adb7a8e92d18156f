"""Whether more may be queued: the queue's size, and the user's limits. Checked where it is stored, in one transaction."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from tenantry.database import timestamp
from tenantry.database.clock import moment_of
from tenantry.database.tables import queue_counts, queue_defaults, queue_limits, queue_usage, queues
from tenantry.errors import LimitReached, QueueFull
from tenantry.queue.base import ALL_QUEUES, QueueRepository
from tenantry.queue.conditions import counts_everything, has_status, written
from tenantry.queue.states import Status

__all__ = ["RATES", "Admission"]

RATES: dict[str, timedelta] = {
    "per_minute": timedelta(minutes=1),
    "per_hour": timedelta(hours=1),
    "per_day": timedelta(days=1),
}
"""The limits of what a user queues within a time."""

_ADD_USAGE = sa.insert(queue_usage)
_ENQUEUE_LOCK = 0x7E4A_5155


class Admission(QueueRepository):
    """Checks before anything is queued; run as Tenantry itself, because the queue is everybody's."""

    __slots__ = ()

    async def _lock_queue(self, queue_id: str) -> None:
        """Whoever queues into this queue next waits until this transaction ends; on SQLite nobody else writes at all."""
        if self._dialect == "postgresql":
            key = sa.func.hashtext(sa.bindparam("locked_queue", type_=sa.Text()))
            await self._connection.fetch_one(
                sa.select(sa.func.pg_advisory_xact_lock(_ENQUEUE_LOCK, key)), {"locked_queue": queue_id}
            )

    async def _admit(self, queue_id: str, user_id: str, wanted: int, *, partly: bool = False) -> int:
        """How many of `wanted` items may be queued now: all; or, `partly`, as many as fit into the queue.

        Raises `QueueFull` and `LimitReached`.
        """
        await self._lock_queue(queue_id)
        facts = await self._connection.fetch_one(_ROOM, {"of_queue": queue_id, "of_user": user_id})
        assert facts is not None
        if not facts.is_known:
            # Its row keeps the virtual time of its turns.
            row = {"queue_id": queue_id, "updated_at": self._now()}
            await self._connection.execute(self._insert_into(queues).values(row).on_conflict_do_nothing())
        admitted = self._fitting(facts, wanted, partly=partly)
        if facts.max_pending is not None and (facts.my_pending or 0) + admitted > facts.max_pending:
            raise LimitReached(
                "max_pending",
                facts.max_pending,
                f"Of yours {facts.my_pending or 0} items wait; {facts.max_pending} may.",
                remedy="Wait until some have run, cancel some, or ask an administrator for more.",
            )
        await self._check_rates(facts, user_id, admitted)
        if admitted:
            await self._use(user_id, admitted)
        return admitted

    async def _room_for(self, queue_id: str, wanted: int, *, partly: bool = False) -> int:
        """How many of `wanted` items the queue has room for: all; or, `partly`, as many as fit. Raises `QueueFull`."""
        await self._lock_queue(queue_id)
        facts = await self._connection.fetch_one(_ROOM, {"of_queue": queue_id, "of_user": ""})
        assert facts is not None
        return self._fitting(facts, wanted, partly=partly)

    def _fitting(self, facts: Row[Any], wanted: int, *, partly: bool) -> int:
        allowed = self._rules.max_pending if facts.queue_limit is None else facts.queue_limit
        if allowed is None:
            return wanted
        room = max(allowed - (facts.pending or 0), 0)
        if wanted > room and not partly:
            raise QueueFull(
                "queue_max_pending",
                allowed,
                f"The queue has room for {room} more items; these are {wanted}.",
                remedy="Send fewer, or wait until some have run.",
            )
        return min(wanted, room)

    async def _check_rates(self, facts: Row[Any], user_id: str, wanted: int) -> None:
        limits = {name: getattr(facts, name) for name in RATES if getattr(facts, name) is not None}
        if not limits:
            return
        now = self._ground.clock().astimezone(UTC)
        longest = max(RATES[name] for name in limits)
        query = (
            sa.select(queue_usage.c.created_at, queue_usage.c["items"].label("number"))
            .where(queue_usage.c.user_id == user_id, queue_usage.c.created_at > timestamp(now - longest))
            .order_by(queue_usage.c.created_at)
        )
        used = [(moment_of(row.created_at), int(row.number)) for row in await self._connection.fetch_all(query)]
        reached: dict[str, float] = {}
        for name, allowed in limits.items():
            recent = [each for each in used if each[0] > now - RATES[name]]
            excess = sum(items for _, items in recent) + wanted - allowed
            if excess > 0:
                reached[name] = _free_after(recent, excess, now - RATES[name])
        if reached:
            # Of several the one that lasts longest, so that the next try succeeds.
            name = max(reached, key=lambda each: reached[each])
            raise _too_fast(name, limits[name], reached[name])

    async def _use(self, user_id: str, items: int) -> None:
        await self._connection.execute(_ADD_USAGE, {"user_id": user_id, "created_at": self._now(), "items": items})


def _too_fast(name: str, allowed: int, retry_after: float) -> LimitReached:
    period = name.removeprefix("per_")
    message = f"You may queue {allowed} items in a {period}."
    if math.isinf(retry_after):
        return LimitReached(name, allowed, message, remedy=f"Send at most {allowed} at once.")
    return LimitReached(
        name, allowed, message, retry_after=retry_after, remedy=f"Try again in {max(round(retry_after), 1)} seconds."
    )


def _free_after(used: list[tuple[datetime, int]], excess: int, window_start: datetime) -> float:
    """Seconds until so many of the used items are older than the window; infinity if they never are enough."""
    for moment, items in used:
        excess -= items
        if excess <= 0:
            return (moment - window_start).total_seconds()
    return math.inf


def _sum_of(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    counts = queue_counts.c
    return (
        sa.select(sa.cast(sa.func.sum(counts["items"]), sa.BigInteger))
        .where(has_status(counts, Status.PENDING), counts_everything(counts), *conditions)
        .scalar_subquery()
    )


def _room() -> sa.Select[Any]:
    """One row: what waits, and what may."""
    queue_id, user_id = (sa.bindparam(name, type_=sa.Text()) for name in ("of_queue", "of_user"))
    everything, here = queues.alias("everything"), queues.alias("here")
    joined = (
        everything.outerjoin(here, here.c.queue_id == queue_id)
        .outerjoin(queue_limits, queue_limits.c.user_id == user_id)
        .outerjoin(queue_defaults, queue_defaults.c.row_number == sa.literal_column("1"))
    )
    return (
        sa.select(
            here.c.queue_id.is_not(None).label("is_known"),
            here.c.max_pending.label("queue_limit"),
            _sum_of(queue_counts.c.queue_id == queue_id).label("pending"),
            _sum_of(queue_counts.c.user_id == user_id).label("my_pending"),
            *(sa.func.coalesce(queue_limits.c[name], queue_defaults.c[name]).label(name) for name in ("max_pending", *RATES)),
        )
        .select_from(joined)
        .where(everything.c.queue_id == written(ALL_QUEUES))
    )


_ROOM = _room()
