"""How the queue serves its users, for administrators: counts, waiting times, seconds of GPU, and how fair it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.database import timestamp
from tenantry.database.clock import seconds_between
from tenantry.database.tables import queue_counts, queue_items
from tenantry.queue.base import DEFAULT_QUEUE, QueueRepository
from tenantry.queue.conditions import counts_everything, has_ended, has_status
from tenantry.queue.states import Status
from tenantry.queue.status import Counts

__all__ = ["QueueStatistics", "Statistics", "UserStatistics"]

_MOST_LOOKED_AT = 50_000
"""Finished items of the window that are looked at, the newest, so that a long window does not hold the server up."""


@dataclass(frozen=True, slots=True)
class UserStatistics:
    """One user: counts of now, and of the window the seconds that items waited and ran, and the user's share of the running.

    `oldest_waiting` is when the oldest pending item was queued, as UTC text.
    """

    user_id: str
    counts: Counts
    oldest_waiting: str | None
    finished_in_window: int
    wait_p50: float | None
    wait_p95: float | None
    gpu_seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """A queue's users, by id, and Jain's fairness index of their running time: 1 where all got the same, 1/n where one got all.

    (Jain, Chiu and Hawe, 1984.) Only users whose items ran in the window count; None where nobody's did.
    """

    queue_id: str
    window_seconds: float
    users: list[UserStatistics]
    fairness: float | None


class Statistics(QueueRepository):
    """Statistics of users; for administrators and Tenantry itself."""

    __slots__ = ()

    async def statistics(self, queue_id: str = DEFAULT_QUEUE, *, window: timedelta = timedelta(days=1)) -> QueueStatistics:
        """How a queue served its users in the last `window`. Raises `NotAllowed` for tenants."""
        self._only_privileged("see everybody's statistics")
        since = timestamp(self._ground.clock().astimezone(UTC) - window)
        rows = await self._connection.fetch_all(_counted(), {"of_queue": queue_id})
        ended = await self._connection.fetch_all(_ended(), {"of_queue": queue_id, "since": since})
        counts: dict[str, dict[str, int]] = {}
        oldest: dict[str, str | None] = {}
        for row in rows:
            counts.setdefault(row.user_id, {})[row.status] = row.number
            oldest[row.user_id] = row.oldest or oldest.get(row.user_id)
        by_user: dict[str, list[Row[Any]]] = {}
        for row in ended:
            by_user.setdefault(row.user_id, []).append(row)
        ran = {user: sum(_ran(row) for row in found) for user, found in by_user.items()}
        whole = sum(ran.values())
        users = [
            _of_user(user, Counts(**counts.get(user, {})), oldest.get(user), by_user.get(user, []), ran.get(user, 0.0), whole)
            for user in sorted({*counts, *by_user})
        ]
        return QueueStatistics(queue_id, window.total_seconds(), users, _jain([each for each in ran.values() if each > 0]))


def _of_user(
    user_id: str, counts: Counts, oldest: str | None, ended: Sequence[Row[Any]], ran: float, whole: float
) -> UserStatistics:
    waits = sorted(seconds_between(row.created_at, row.started_at) for row in ended if row.started_at is not None)
    share = ran / whole if whole else 0.0
    return UserStatistics(user_id, counts, oldest, len(ended), _percentile(waits, 0.5), _percentile(waits, 0.95), ran, share)


def _ran(row: Row[Any]) -> float:
    return 0.0 if row.started_at is None else seconds_between(row.started_at, row.completed_at)


def _percentile(sorted_values: Sequence[float], part: float) -> float | None:
    """The smallest value that so many are not above (nearest rank)."""
    if not sorted_values:
        return None
    rank = -(-len(sorted_values) * round(part * 100) // 100)
    return sorted_values[max(rank - 1, 0)]


def _jain(values: Sequence[float]) -> float | None:
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else None


@cache
def _counted() -> Select[Any]:
    counts, items = queue_counts.c, queue_items.c
    oldest = (
        sa.select(items.created_at)
        .where(
            items.queue_id == counts.queue_id,
            items.user_id == counts.user_id,
            has_status(items, Status.PENDING),
        )
        .order_by(items.item_id)
        .limit(1)
        .correlate(queue_counts)
        .scalar_subquery()
    )
    return sa.select(
        counts.user_id,
        counts.status,
        counts["items"].label("number"),
        sa.case((has_status(counts, Status.PENDING), oldest)).label("oldest"),
    ).where(
        counts.queue_id == sa.bindparam("of_queue", type_=sa.Text()),
        counts_everything(counts),
    )


@cache
def _ended() -> Select[Any]:
    items = queue_items.c
    return (
        sa.select(items.user_id, items.created_at, items.started_at, items.completed_at)
        .where(
            items.queue_id == sa.bindparam("of_queue", type_=sa.Text()),
            has_ended(),
            items.completed_at > sa.bindparam("since", type_=sa.Text()),
        )
        .order_by(items.completed_at.desc())
        .limit(_MOST_LOOKED_AT)
    )
