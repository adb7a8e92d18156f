"""A crash between any two statements of any operation leaves the queue as it was."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database import Connection, Dialect, Identity, Parameters, Query, tables
from tenantry.queue import Completed, Failed, Released, UnitOfWork, WorkflowCall
from tenantry.repositories.queue_counts import disagreements
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, batch, claim, enqueue, register

TABLES = (
    *(tables.queue_items, tables.batches, tables.queue_counts, tables.queue_turns, tables.queues),
    *(tables.queue_usage, tables.workers),
)


class Crash(Exception):
    """The process is gone."""


class Undone(Exception):
    """The operation came to its end, and is taken back."""


class Faulty:
    """A connection that lets so many statements through and then is gone."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection = connection
        self._left = statements
        self.dialect: Dialect = connection.dialect

    def _pass(self) -> None:
        if self._left == 0:
            raise Crash
        self._left -= 1

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Any]:
        self._pass()
        return await self._connection.fetch_all(query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Any:
        self._pass()
        return await self._connection.fetch_one(query, parameters)

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        self._pass()
        return await self._connection.fetch_value(query, parameters)

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        self._pass()
        return await self._connection.execute(statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        self._pass()
        await self._connection.execute_many(statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        await self._connection.act_as(identity)


class FaultyStudio(Studio):
    """A studio whose units of work crash."""

    statements = 0

    def unit_of_work(self, connection: Connection, principal: Principal) -> UnitOfWork:
        return super().unit_of_work(Faulty(connection, self.statements), principal)


async def stored(mode: Mode) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the queue."""

    async def read(work: UnitOfWork) -> dict[str, list[tuple[object, ...]]]:
        fetch = work.ground.connection.fetch_all
        assert await disagreements(work.ground.connection) == []
        return {table.name: sorted((tuple(row) for row in await fetch(sa.select(table))), key=repr) for table in TABLES}

    return await mode.read(INTERNAL, read)


Operation = Callable[[UnitOfWork], Coroutine[Any, Any, object]]


async def operations(mode: Mode, people: People) -> dict[str, tuple[Principal, Operation]]:
    """One of each kind, on a queue in which it changes something; a call tree among it."""
    made = await enqueue(mode, people.ana, 5, destination="canvas")
    await enqueue(mode, people.bo, 3)
    worker = await register(mode)
    one, two, three, four = [item.lease for item in await claim(mode, worker, 4)]
    call = WorkflowCall(call_id="c", depth=1, session_id="s", session='{"graph": {"nodes": {}}}')
    await mode.write(INTERNAL, lambda work: work.dispatch.suspend(four, session="{}"))
    await mode.write(INTERNAL, lambda work: work.dispatch.call(four.item_id, call))
    await mode.write(people.ana, lambda work: work.queue.cancel(made.item_ids[4]))
    acknowledgements = [Completed(lease=one), Failed(lease=two, error_type="E", error_message="m"), Released(lease=three)]
    second = WorkflowCall(call_id="d", depth=1, session_id="t", session="{}")
    root = people.root
    return {
        "enqueue": (people.ana, lambda work: work.queue.enqueue(batch(2, destination="canvas"), prepend=True)),
        "enqueue with a key": (people.bo, lambda work: work.queue.enqueue(batch(2), idempotency_key="k")),
        "claim one": (INTERNAL, lambda work: work.dispatch.claim(worker)),
        "claim many": (INTERNAL, lambda work: work.dispatch.claim(worker, devices=(None,) * 3)),
        "acknowledge": (INTERNAL, lambda work: work.dispatch.acknowledge(acknowledgements)),
        "call": (INTERNAL, lambda work: work.dispatch.call(one.item_id, second)),
        "resume": (INTERNAL, lambda work: work.dispatch.resume(four.item_id)),
        "unregister": (INTERNAL, lambda work: work.workers.unregister(worker)),
        "cancel a tree": (root, lambda work: work.queue.cancel(four.item_id)),
        "delete a tree": (root, lambda work: work.queue.delete(four.item_id)),
        "retry": (people.ana, lambda work: work.queue.retry([made.item_ids[4]])),
        "cancel all": (root, lambda work: work.queue.cancel_queue()),
        "cancel a destination": (people.ana, lambda work: work.queue.cancel_destination("canvas")),
        "delete a destination": (root, lambda work: work.queue.delete_destination("canvas")),
        "delete all but the current": (people.ana, lambda work: work.queue.delete_all_except_current()),
        "clear": (root, lambda work: work.queue.clear()),
        "prune": (people.ana, lambda work: work.queue.prune()),
        "put first": (root, lambda work: work.queue.put_first(made.item_ids[3])),
    }


async def test_a_crash_changes_nothing(mode: Mode, people: People) -> None:
    """Each operation is stopped after each of its statements; then it is let through, and does something."""
    todo = await operations(mode, people)
    before = await stored(mode)
    faulty = FaultyStudio(mode.studio.database, clock=mode.studio._clock, ids=mode.studio._ids)
    crashing = Mode(faulty, mode.name)
    told: list[object] = []
    faulty.listen(told.extend)
    for name, (who, operation) in todo.items():
        faulty.statements = 0
        while True:

            async def attempt(work: UnitOfWork, operation: Operation = operation) -> None:
                await operation(work)
                # The next one finds the queue as it was.
                raise Undone

            try:
                await crashing.write(who, attempt)
            except Crash:
                assert await stored(mode) == before, f"{name} after {faulty.statements} statements"
                faulty.statements += 1
                assert faulty.statements < 100
                continue
            except Undone:
                break
        assert faulty.statements > 0, name
    assert told == []
    for name, (who, operation) in reversed(todo.items()):
        if name == "cancel a tree":
            await mode.write(who, operation)
            assert await stored(mode) != before


@pytest.mark.parametrize("broken", ["counts", "items"])
async def test_what_was_changed_by_hand_is_found(mode: Mode, people: People, broken: str) -> None:
    """And counted anew."""
    from tenantry.repositories.queue_counts import recount

    await enqueue(mode, people.ana, 2, destination="canvas")

    async def break_it(work: UnitOfWork) -> None:
        changes = {
            "counts": sa.update(tables.queue_counts).values(items=7),
            "items": sa.update(tables.queue_items).where(tables.queue_items.c.item_id == 1).values(status="failed"),
        }
        await work.ground.connection.execute(changes[broken])

    await mode.write(INTERNAL, break_it)
    found = await mode.read(INTERNAL, lambda work: disagreements(work.ground.connection))
    assert {(each.queue_id, each.user_id) for each in found} == {("default", "ana")}
    await mode.write(INTERNAL, lambda work: recount(work.ground.connection))
    assert await mode.read(INTERNAL, lambda work: disagreements(work.ground.connection)) == []
