"""Random sequences of everything that three users, an administrator and two workers can do, compared with a plain model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantry import Principal, Studio
from tenantry.database import DatabaseURL, tables
from tenantry.errors import IllegalTransition, NotAllowed, NotFound, QueueFull
from tenantry.queue import Completed, Failed, Lease, Limits, QueueRules, Released, Status, UnitOfWork
from tenantry.repositories.queue_counts import disagreements
from tenantry.studio import connect
from tests.integration.conftest import Ticking
from tests.integration.queue.model import ADMINISTRATOR, ENDED, PENDING, RUNNING, Model
from tests.integration.queue.scene import INTERNAL, batch

NAMES = ("ana", "bo", "cy", ADMINISTRATOR)
CAPACITY = 12
NOW = "2026-11-23 12:00:00.000"


@dataclass
class Step:
    """One operation: who does what, and numbers that say to which items."""

    what: str
    actor: str
    number: int
    more: int


OPERATIONS = (
    *("enqueue", "enqueue", "claim", "claim", "complete", "fail", "release", "lose", "cancel", "delete", "retry"),
    *("cancel_queue", "prune", "clear", "delete_items", "put_first", "pause_user", "limit", "stale", "cancel_batch"),
)
STEPS = st.lists(
    st.builds(Step, st.sampled_from(OPERATIONS), st.sampled_from(NAMES), st.integers(0, 40), st.integers(0, 5)), max_size=30
)


class Comparison:
    """The real queue and the model, driven by the same steps."""

    def __init__(self, studio: Studio, clock: Ticking, workers: list[str]) -> None:
        self.studio = studio
        self.clock = clock
        self.workers = workers
        self.model = Model(CAPACITY)

    async def take(self, step: Step) -> None:
        await getattr(self, f"_{step.what}")(step)
        await self._compare()

    async def _act(self, actor: str, operation: Callable[[UnitOfWork], Any]) -> Any:
        who = Principal(actor, is_admin=actor == ADMINISTRATOR)
        async with self.studio.begin(who) as work:
            return await operation(work)

    async def _internally(self, operation: Callable[[UnitOfWork], Any]) -> Any:
        async with self.studio.begin(INTERNAL) as work:
            return await operation(work)

    def _item(self, step: Step) -> int:
        ids = sorted(self.model.items)
        return ids[step.number % len(ids)] if ids else 999

    async def _enqueue(self, step: Step) -> None:
        expected = self.model.enqueue(step.actor, list(range(step.more)) or [0], prepend=step.number % 5 == 0)
        request = batch(step.more or 1, batch_id=f"batch-{self.model.batches}" if expected is not None else "none")
        try:
            made = await self._act(step.actor, lambda work: work.queue.enqueue(request, prepend=step.number % 5 == 0))
        except QueueFull:
            assert expected is None
            return
        assert list(made.item_ids) == expected

    async def _claim(self, step: Step) -> None:
        slots = step.more + 1
        self.clock.pass_by(seconds=700)
        await self._beat()
        claimed = await self._internally(
            lambda work: work.dispatch.claim(self.workers[step.number % 2], devices=(None,) * slots)
        )
        assert [item.item_id for item in claimed] == self.model.claim(step.number % 2, slots)
        assert [item.field_values[0]["value"] for item in claimed] == [self.model.items[i.item_id].value for i in claimed]

    async def _beat(self) -> None:
        """Both are alive again, however long ago they beat."""

        async def revive(work: UnitOfWork) -> None:
            change = sa.update(tables.workers).values(expires_at="9999-01-01 00:00:00.000")
            await work.ground.connection.execute(change)

        await self._internally(revive)

    async def _settle(self, step: Step, after: Status) -> None:
        running = self.model.of(RUNNING)
        if not running:
            return
        item = running[step.number % len(running)]
        worker = item.worker or 0
        lease = Lease(item.item_id, self.workers[worker], item.attempt)
        kinds = {
            Status.COMPLETED: Completed(lease=lease),
            Status.FAILED: Failed(lease=lease, error_type="E", error_message="m"),
            PENDING: Released(lease=lease),
        }
        assert await self._internally(lambda work: work.dispatch.acknowledge([kinds[after]])) == []
        assert self.model.acknowledge(item.item_id, worker, item.attempt, after)

    async def _complete(self, step: Step) -> None:
        await self._settle(step, Status.COMPLETED)

    async def _fail(self, step: Step) -> None:
        await self._settle(step, Status.FAILED)

    async def _release(self, step: Step) -> None:
        await self._settle(step, PENDING)

    async def _stale(self, step: Step) -> None:
        """Somebody who never held the item, or not any more, is not heard."""
        item_id = self._item(step)
        item = self.model.items.get(item_id)
        attempt = (item.attempt if item else 0) + 1
        lease = Lease(item_id, self.workers[step.number % 2], attempt)
        assert await self._internally(lambda work: work.dispatch.acknowledge([Completed(lease=lease)])) == [lease]

    async def _lose(self, step: Step) -> None:
        """A worker dies: its lease expires, somebody recovers, and it comes back under the same name."""
        worker = step.number % 2

        async def expire(work: UnitOfWork) -> Any:
            gone = tables.workers.c.worker_id == self.workers[worker]
            await work.ground.connection.execute(sa.update(tables.workers).where(gone).values(expires_at=NOW))
            return await work.workers.recover_expired()

        moved = await self._internally(expire)
        assert sorted(item.item_id for item in moved) == sorted(self.model.lose(worker))
        await self._beat()

    async def _on_one(self, step: Step, act: Callable[[UnitOfWork, int], Any], expected: Callable[[Any], Any]) -> None:
        """An operation on an item: of a stranger refused, on nothing not found, else as the model says."""
        item_id = self._item(step)
        item = self.model.items.get(item_id)
        if item is None:
            with pytest.raises(NotFound):
                await self._act(step.actor, lambda work: act(work, item_id))
        elif not self.model.theirs(step.actor, [item]):
            with pytest.raises(NotAllowed):
                await self._act(step.actor, lambda work: act(work, item_id))
        else:
            assert await self._act(step.actor, lambda work: act(work, item_id)) == expected(item)

    async def _cancel(self, step: Step) -> None:
        await self._on_one(step, lambda work, item_id: work.queue.cancel(item_id), lambda item: self.model.cancel([item]))

    async def _delete(self, step: Step) -> None:
        await self._on_one(step, lambda work, item_id: work.queue.delete(item_id), lambda item: self.model.delete([item]))

    async def _retry(self, step: Step) -> None:
        items = list(self.model.items.values())[step.number % 3 : step.number % 3 + step.more]
        ids = [item.item_id for item in items]
        if self.model.theirs(step.actor, items) != items:
            with pytest.raises(NotAllowed):
                await self._act(step.actor, lambda work: work.queue.retry(ids))
            return
        try:
            made = await self._act(step.actor, lambda work: work.queue.retry(ids))
        except QueueFull:
            assert self.model.retry(items) is None
            return
        # Owners are admitted one after the other, so ids are given in the order of owners.
        by_owner = sorted(items, key=lambda item: item.owner)
        assert sorted(made.values()) == sorted(self.model.retry(by_owner) or [])

    async def _cancel_queue(self, step: Step) -> None:
        touched = await self._act(step.actor, lambda work: work.queue.cancel_queue())
        mine = self.model.theirs(step.actor, list(self.model.items.values()))
        assert touched.item_ids == sorted(self.model.cancel(mine))

    async def _cancel_batch(self, step: Step) -> None:
        number = step.number % 4 + 1
        touched = await self._act(step.actor, lambda work: work.queue.cancel_batches([f"batch-{number}"]))
        mine = [item for item in self.model.theirs(step.actor, list(self.model.items.values())) if item.batch == number]
        assert touched.item_ids == sorted(self.model.cancel(mine))

    async def _prune(self, step: Step) -> None:
        touched = await self._act(step.actor, lambda work: work.queue.prune())
        ended = self.model.theirs(step.actor, self.model.of(*ENDED))
        assert touched.item_ids == sorted(self.model.delete(ended))

    async def _clear(self, step: Step) -> None:
        touched = await self._act(step.actor, lambda work: work.queue.clear())
        mine = self.model.theirs(step.actor, list(self.model.items.values()))
        assert touched.item_ids == sorted(self.model.delete(mine))

    async def _delete_items(self, step: Step) -> None:
        ids = [self._item(step), self._item(Step("", "", step.number + 1, 0))]
        touched = await self._act(step.actor, lambda work: work.queue.delete_items(ids))
        meant = [self.model.items[item_id] for item_id in sorted(set(ids)) if item_id in self.model.items]
        assert touched.item_ids == self.model.delete(self.model.theirs(step.actor, meant))

    async def _put_first(self, step: Step) -> None:
        item_id = self._item(step)
        item = self.model.items.get(item_id)
        if step.actor != ADMINISTRATOR:
            expected: type[Exception] | None = NotAllowed
        elif item is None:
            expected = NotFound
        else:
            expected = None if item.status is PENDING else IllegalTransition
        if expected is not None:
            with pytest.raises(expected):
                await self._act(step.actor, lambda work: work.queue.put_first(item_id))
            return
        assert item is not None
        await self._act(step.actor, lambda work: work.queue.put_first(item_id))
        self.model.put_first(item)

    async def _pause_user(self, step: Step) -> None:
        paused = step.more % 2 == 0
        name = NAMES[step.number % 3]
        await self._internally(lambda work: work.queue_administration.pause_user(name, paused=paused))
        self.model.paused = self.model.paused | {name} if paused else self.model.paused - {name}

    async def _limit(self, step: Step) -> None:
        self.model.max_running = None if step.more > 3 else step.more
        limits = Limits(max_running=self.model.max_running)
        await self._internally(lambda work: work.queue_administration.set_defaults(limits))

    async def _compare(self) -> None:
        async with self.studio.read(INTERNAL) as work:
            items = tables.queue_items.c
            columns = (items.item_id, items.user_id, items.status, items.status_sequence, items.priority, items.attempt)
            query = sa.select(*columns, items.retried_from_item_id).order_by(items.item_id)
            stored = [tuple(row) for row in await work.ground.connection.fetch_all(query)]
            assert await disagreements(work.ground.connection) == []
            status = await work.queue.status()
        model = [
            (item.item_id, item.owner, item.status.value, item.sequence, item.priority, item.attempt, item.retried_from)
            for _, item in sorted(self.model.items.items())
        ]
        assert stored == model
        counted = {each: getattr(status.everybody, each.value) for each in Status if getattr(status.everybody, each.value)}
        assert counted == self.model.count()


async def run(url: DatabaseURL, steps: list[Step]) -> None:
    clock = Ticking()
    opened = connect(url)
    # So many attempts that losing a worker is never an item's end.
    studio = Studio(opened.database, clock=clock, queue_rules=QueueRules(max_pending=CAPACITY, max_attempts=1_000))
    try:
        async with studio.begin(INTERNAL) as work:
            await _empty(work)
            workers = [await work.workers.register(f"w{number}", host="h", process=number) for number in range(2)]
        comparison = Comparison(studio, clock, workers)
        for step in steps:
            await comparison.take(step)
    finally:
        await studio.aclose()


async def _empty(work: UnitOfWork) -> None:
    """A queue as if it were new, with item ids from 1; and the users, once."""
    connection = work.ground.connection
    for table in (tables.queue_items, tables.batches, tables.queue_counts, tables.queue_turns, tables.queue_usage):
        await connection.execute(sa.delete(table))
    for table in (tables.workers, tables.queue_limits, tables.queue_defaults):
        await connection.execute(sa.delete(table))
    await connection.execute(sa.update(tables.queues).values(claims=0, virtual_time=0))
    if connection.dialect == "sqlite":
        await connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'queue_items'"))
    else:
        sequence = sa.func.pg_get_serial_sequence("queue_items", "item_id")
        await connection.fetch_value(sa.select(sa.func.setval(sequence, 1, sa.false())))
    if await connection.fetch_value(sa.select(sa.func.count()).where(tables.users.c.user_id == "ana")):
        return
    for name in NAMES:
        await connection.execute(
            sa.insert(tables.users).values(
                user_id=name, email=f"{name}@example.com", is_admin=name == ADMINISTRATOR, created_at=NOW, updated_at=NOW
            )
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_does_what_the_model_does(database_url: DatabaseURL, steps: list[Step]) -> None:
    """Answers, items, counts and the order of turns."""
    asyncio.run(run(database_url, steps))
