"""Leases: workers say that they are alive, and what those held who do not is given to others, once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from tenantry.database import timestamp
from tenantry.database.tables import queue_items, workers
from tenantry.errors import InvalidInput, LeaseLost, NotFound
from tenantry.queue.base import check_queue_id, shared_moment
from tenantry.queue.chains import Chains
from tenantry.queue.conditions import has_status
from tenantry.queue.states import Status
from tenantry.queue.transitions import Move, Moved
from tenantry.repositories.checks import check_name

__all__ = ["Beat", "Leases", "RegisteredWorker"]

_MOST_RECOVERED = 500
"""Items that one step recovers, so that others get their turn at the database between two."""

_LOST = "WorkerLost"


@dataclass(frozen=True, slots=True)
class RegisteredWorker:
    """A worker as the studio knows it. It holds `running` items until `expires_at`, if it gives no sign of life before."""

    worker_id: str
    name: str
    host: str
    process: int
    queue_id: str | None
    devices: list[str]
    concurrency: int
    draining: bool
    started_at: str
    beat_at: str
    expires_at: str
    is_alive: bool
    running: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker learns when it gives a sign of life: what it still holds, as item and attempt, and whether to stop."""

    held: frozenset[tuple[int, int]]
    draining: bool


class Leases(Chains):
    """The registered workers, their leases, and the recovery of what was lost; tenants get `NotAllowed`."""

    __slots__ = ()

    async def register(
        self,
        name: str,
        *,
        host: str,
        process: int,
        devices: Sequence[str] = (),
        concurrency: int = 1,
        queue_id: str | None = None,
    ) -> str:
        """Make a worker known; answers its id, with which it claims. Its lease begins now."""
        self._only_privileged("register workers")
        if concurrency < 1:
            raise InvalidInput("A worker has at least one slot.", field="concurrency")
        now = self._now()
        worker_id = self._ground.ids()
        add = sa.insert(workers).values(
            worker_id=worker_id,
            name=check_name(name, "name"),
            host=check_name(host, "host"),
            process=process,
            queue_id=None if queue_id is None else check_queue_id(queue_id),
            devices=json.dumps([check_name(device, "devices") for device in devices]),
            concurrency=concurrency,
            started_at=now,
            beat_at=now,
            expires_at=shared_moment(self._by_database),
        )
        await self._connection.execute(add, self._moment(self._rules.lease))
        return worker_id

    async def beat(self, worker_id: str) -> Beat:
        """Renew a worker's lease. Raises `LeaseLost` when it has expired: what was held may run elsewhere by now."""
        self._only_privileged("beat for a worker")
        end = self._moment(self._rules.lease, "lease_end")
        renew = (
            sa.update(workers)
            .where(workers.c.worker_id == worker_id, workers.c.expires_at > shared_moment(self._by_database))
            .values(beat_at=self._now(), expires_at=shared_moment(self._by_database, "lease_end"))
            .returning(workers.c.draining)
        )
        row = await self._connection.fetch_one(renew, {**self._moment(), **end})
        if row is None:
            raise LeaseLost(0)
        return Beat(await self.held(worker_id), row.draining)

    async def held(self, worker_id: str) -> frozenset[tuple[int, int]]:
        """What a worker holds, by item and attempt."""
        self._only_privileged("see what workers hold")
        items = queue_items.c
        query = sa.select(items.item_id, items.attempt).where(
            items.worker_id == worker_id, has_status(items, Status.IN_PROGRESS)
        )
        return frozenset((row.item_id, row.attempt) for row in await self._connection.fetch_all(query))

    async def unregister(self, worker_id: str) -> None:
        """Forget a worker that has stopped; what it still holds is given to others at once."""
        self._only_privileged("forget workers")
        await self._expire(worker_id)
        await self._recover(queue_items.c.worker_id == worker_id)
        await self._connection.execute(sa.delete(workers).where(workers.c.worker_id == worker_id))

    async def drain(self, worker_id: str, *, draining: bool = True) -> None:
        """Tell a worker to claim nothing more, or to go on. Raises `NotFound`."""
        self._only_privileged("drain workers")
        change = sa.update(workers).where(workers.c.worker_id == worker_id).values(draining=draining)
        if not await self._connection.execute(change):
            raise NotFound("worker")

    async def all(self) -> list[RegisteredWorker]:
        """Every registered worker, the oldest first."""
        self._only_privileged("see workers")
        items = queue_items.c
        running = (
            sa.select(sa.func.count())
            .where(items.worker_id == workers.c.worker_id, has_status(items, Status.IN_PROGRESS))
            .scalar_subquery()
        )
        alive = workers.c.expires_at > shared_moment(self._by_database)
        query = sa.select(workers, alive.label("is_alive"), running.label("running"))
        rows = await self._connection.fetch_all(query.order_by(workers.c.started_at, workers.c.worker_id), self._moment())
        return [_registered(row) for row in rows]

    async def recover_expired(self) -> list[Moved]:
        """Give back what workers held whose lease has expired: to the queue, or, spent, to its end; answers those items.

        An item that took `max_attempts` workers down is failed, so that it takes no more. An item that was running when it was
        imported has no worker and is canceled, as InvokeAI would at its start. Others' running items stay as they are.
        """
        self._only_privileged("recover leases")
        expired = sa.select(workers.c.worker_id).where(workers.c.expires_at <= shared_moment(self._by_database))
        async with self._counting_once():
            lost = await self._recover(queue_items.c.worker_id.in_(expired), **self._moment())
            return lost + await self._recover(queue_items.c.worker_id.is_(None))

    async def forget_expired(self, seconds: float) -> int:
        """Forget workers whose lease expired so long ago; answers how many."""
        self._only_privileged("forget workers")
        gone = sa.delete(workers).where(
            workers.c.expires_at < shared_moment(self._by_database),
            ~sa.exists().where(
                queue_items.c.worker_id == workers.c.worker_id, queue_items.c.status == sa.literal_column("'in_progress'")
            ),
        )
        return await self._connection.execute(gone, self._moment(-seconds))

    async def _expire(self, worker_id: str) -> None:
        change = sa.update(workers).where(workers.c.worker_id == worker_id).values(expires_at="")
        if not await self._connection.execute(change):
            raise NotFound("worker")

    async def _recover(self, lost: sa.ColumnElement[bool], **parameters: object) -> list[Moved]:
        items = queue_items.c
        query = (
            sa.select(items.item_id, items.worker_id, items.attempt, items.losses)
            .where(has_status(items, Status.IN_PROGRESS), lost)
            .limit(_MOST_RECOVERED)
        )
        if self._dialect == "postgresql":
            # Of several that recover at once, each takes what no other has.
            query = query.with_for_update(skip_locked=True)
        rows = await self._connection.fetch_all(query, parameters)
        spent = [row for row in rows if row.worker_id is not None and row.losses + 1 >= self._rules.max_attempts]
        again = [row for row in rows if row.worker_id is not None and row.losses + 1 < self._rules.max_attempts]
        imported = [Move(row.item_id) for row in rows if row.worker_id is None]
        async with self._counting_once():
            moved = await self._move(Status.IN_PROGRESS, Status.PENDING, [self._back_off(row) for row in again])
            failed = await self._move(Status.IN_PROGRESS, Status.FAILED, [_poison(row) for row in spent])
            canceled = await self._move(Status.IN_PROGRESS, Status.CANCELED, imported)
            for item in (*failed, *canceled):
                # What called it waits for an answer that will not come.
                await self._end_chain(item.item_id)
        return moved + failed + canceled

    def _back_off(self, row: Row[Any]) -> Move:
        wait = self._rules.wait_after(row.losses + 1)
        until = timestamp(self._ground.clock().astimezone(UTC) + timedelta(seconds=wait)) if wait else None
        return Move(row.item_id, not_before=until, losses=1)


def _poison(row: Row[Any]) -> Move:
    reason = f"Its worker was lost {row.losses + 1} times while it ran; it is not given out again."
    return Move(row.item_id, error_type=_LOST, error_message=reason)


def _registered(row: Row[Any]) -> RegisteredWorker:
    return RegisteredWorker(
        row.worker_id,
        row.name,
        row.host,
        row.process,
        row.queue_id,
        json.loads(row.devices),
        row.concurrency,
        row.draining,
        row.started_at,
        row.beat_at,
        row.expires_at,
        row.is_alive,
        row.running,
    )
