"""What administrators decide about queues and users as a whole: pauses, capacity, and how much history is kept."""

import math
from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database.tables import queue_limits, queues, users
from tenantry.errors import InvalidInput, NotFound
from tenantry.queue.base import ALL_QUEUES, DEFAULT_QUEUE, QueueRepository, check_queue_id
from tenantry.queue.changes import QueuePaused, UserPaused

__all__ = ["QueueSettings", "Steering"]

_MOST_ITEMS = 2_147_483_647
_MOST_DAYS = 36_500.0


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What was decided about one queue; None: the settings' number for what may wait, and for what is kept no limit."""

    queue_id: str
    paused: bool = False
    max_pending: int | None = None
    keep_items: int | None = None
    keep_days: float | None = None


class Steering(QueueRepository):
    """Holds from the next claim or batch on; tenants get `NotAllowed`."""

    __slots__ = ()

    async def pause(self, queue_id: str = DEFAULT_QUEUE) -> None:
        """Give nothing of a queue out any more, or, for `*`, of any; what runs goes on. Raises `NotAllowed` for tenants."""
        await self._set_paused(queue_id, True)

    async def resume_queue(self, queue_id: str = DEFAULT_QUEUE) -> None:
        """Let a paused queue go on. Raises `NotAllowed` for tenants."""
        await self._set_paused(queue_id, False)

    async def pause_user(self, user_id: str, *, paused: bool = True) -> None:
        """Give out nothing of a user's any more, or let them go on. Raises `NotFound`, and `NotAllowed` for tenants."""
        self._only_privileged("pause users")
        await self._change_limits(user_id, {"paused": paused})
        self._record(UserPaused(user_id, paused))

    async def set_history(
        self, queue_id: str = DEFAULT_QUEUE, *, keep_items: int | None = None, keep_days: float | None = None
    ) -> None:
        """Say how many finished items of a queue are kept, and of how many days; None: all.

        Raises `InvalidInput`, and `NotAllowed` for tenants.
        """
        self._only_privileged("say what is kept")
        _check("keep_items", keep_items, _MOST_ITEMS)
        _check("keep_days", keep_days, _MOST_DAYS)
        await self._change_queue(check_queue_id(queue_id), {"keep_items": keep_items, "keep_days": keep_days})

    async def set_capacity(self, queue_id: str = DEFAULT_QUEUE, *, max_pending: int | None) -> None:
        """Say how many items may wait in a queue; None: what the settings say.

        Raises `InvalidInput`, and `NotAllowed` for tenants.
        """
        self._only_privileged("say how much a queue holds")
        _check("max_pending", max_pending, _MOST_ITEMS)
        await self._change_queue(check_queue_id(queue_id), {"max_pending": max_pending})

    async def settings(self, queue_id: str = DEFAULT_QUEUE) -> QueueSettings:
        """What was decided about a queue by itself. Raises `NotAllowed` for tenants."""
        self._only_privileged("see what is decided about queues")
        row = await self._connection.fetch_one(sa.select(queues).where(queues.c.queue_id == check_queue_id(queue_id)))
        if row is None:
            return QueueSettings(queue_id)
        return QueueSettings(queue_id, row.paused, row.max_pending, row.keep_items, row.keep_days)

    async def _set_paused(self, queue_id: str, paused: bool) -> None:
        self._only_privileged("pause queues")
        await self._change_queue(queue_id if queue_id == ALL_QUEUES else check_queue_id(queue_id), {"paused": paused})
        self._record(QueuePaused(self._me, queue_id, paused))

    async def _change_queue(self, queue_id: str, changes: dict[str, object]) -> None:
        row = {"queue_id": queue_id, **changes, "updated_at": self._now()}
        add = self._insert_into(queues).values(row)
        changed = {name: value for name, value in row.items() if name != "queue_id"}
        await self._connection.execute(add.on_conflict_do_update(index_elements=["queue_id"], set_=changed))

    async def _change_limits(self, user_id: str, changes: dict[str, object]) -> None:
        await self._check_user(user_id)
        row = {"user_id": user_id, **changes, "updated_at": self._now()}
        add = self._insert_into(queue_limits).values(row)
        changed = {name: value for name, value in row.items() if name != "user_id"}
        await self._connection.execute(add.on_conflict_do_update(index_elements=["user_id"], set_=changed))

    async def _check_user(self, user_id: str) -> None:
        if await self._connection.fetch_value(sa.select(sa.true()).where(users.c.user_id == user_id)) is None:
            raise NotFound("user")


def _check(name: str, value: float | None, most: float) -> None:
    """Raise `InvalidInput` unless a number can be kept, and reckoned with when it is time to delete."""
    if value is not None and not (math.isfinite(value) and 0 <= value <= most):
        raise InvalidInput(f"This is from 0 to {most:g}.", field=name)
