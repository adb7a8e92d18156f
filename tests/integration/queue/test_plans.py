"""Every operation of the queue finds its rows by an index, so that none costs more the more was ever queued."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import Connection, Dialect, Identity, Parameters, Query, tables
from tenantry.queue import Completed, ItemFilter, Lease, Order, QueueRules, UnitOfWork
from tenantry.repositories.queue_counts import recount
from tenantry.studio import connect
from tests.conftest import Postgres
from tests.integration.queue.scene import INTERNAL, batch
from tests.integration.test_plans import Explain

NOW = "2026-11-23 12:00:00.000"
ANA, ROOT = Principal("ana"), Principal("root", is_admin=True)
FINISHED, WAITING, ITEMS_OF_A_BATCH = 6_000, 200, 5
GROWING = ("queue_items", "batches")


class Undone(Exception):
    """Takes back what an operation did."""


class ExplainChange(Explain):
    """EXPLAIN also of a statement that changes rows, of which SQLAlchemy asks more."""

    inherit_cache = False

    def __getattr__(self, name: str) -> Any:
        if name == "statement":
            raise AttributeError(name)
        return getattr(self.statement, name)


class Explaining:
    """A connection that keeps the plan of every statement."""

    def __init__(self, connection: Connection, plans: list[tuple[str, list[str]]]) -> None:
        self._connection = connection
        self._plans = plans
        self.dialect: Dialect = connection.dialect

    async def _explain(self, query: Query, parameters: Parameters | None) -> None:
        if isinstance(query, sa.Insert):
            # Finds nothing; what it selects from are its parameters.
            return
        rows = await self._connection.fetch_all(ExplainChange(query), parameters)
        self._plans.append((str(query), [str(tuple(row)[-1]).strip() for row in rows]))

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Any]:
        await self._explain(query, parameters)
        return await self._connection.fetch_all(query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Any:
        await self._explain(query, parameters)
        return await self._connection.fetch_one(query, parameters)

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        row = await self.fetch_one(query, parameters)
        return None if row is None else row[0]

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        await self._explain(statement, parameters)
        return await self._connection.execute(statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        await self._connection.execute_many(statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        await self._connection.act_as(identity)


class ExplainingStudio(Studio):
    """A studio whose units of work keep their plans."""

    plans: list[tuple[str, list[str]]]

    def unit_of_work(self, connection: Connection, principal: Principal) -> UnitOfWork:
        return super().unit_of_work(Explaining(connection, self.plans), principal)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        pytest.param("sqlite without statistics", marks=pytest.mark.sqlite),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
)
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExplainingStudio]:
    """Some thousands of finished items of three users, and a few that wait; built once and then only looked at."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        server.create_database("queue_plans", template=request.getfixturevalue("migrated_postgres"))
        url = server.url("queue_plans")
        opened = connect(url)
    else:
        opened = connect(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'plans.db'}")
    rules = QueueRules(max_pending=None)
    studio = Studio(opened.database, queue_rules=rules)
    studio.direct.writing(INTERNAL, _people)
    for who in ("ana", "bo", "root"):
        studio.direct.writing(Principal(who), _enqueue_many)
    studio.direct.writing(INTERNAL, _finish)
    for who in ("ana", "bo"):
        studio.direct.writing(Principal(who), lambda work: work.queue.enqueue(batch(WAITING // 2, destination="gallery")))
    if request.param == "sqlite":
        studio.direct.writing(INTERNAL, lambda work: work.ground.connection.execute(sa.text("ANALYZE")))
    if request.param == "postgres":
        engine = sa.create_engine(opened.database.url.driven_by("postgresql+psycopg"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE queue_items, batches, queue_counts, queue_usage, queue_turns")
            connection.commit()
    explaining = ExplainingStudio(opened.database, queue_rules=rules)
    explaining.plans = []
    yield explaining
    studio.close()
    if request.param == "postgres":
        server.drop_database("queue_plans")


async def _people(work: UnitOfWork) -> None:
    for name in ("ana", "bo", "root"):
        values = {"user_id": name, "email": f"{name}@example.com", "created_at": NOW, "updated_at": NOW}
        await work.ground.connection.execute(sa.insert(tables.users).values(values))


async def _enqueue_many(work: UnitOfWork) -> None:
    for _ in range(FINISHED // 3 // ITEMS_OF_A_BATCH):
        await work.queue.enqueue(batch(ITEMS_OF_A_BATCH, destination="canvas"))


async def _finish(work: UnitOfWork) -> None:
    change = sa.update(tables.queue_items).values(status="completed", started_at=NOW, completed_at=NOW)
    await work.ground.connection.execute(change)
    await recount(work.ground.connection)


Operation = Callable[[UnitOfWork], Coroutine[Any, Any, object]]


async def _claim(work: UnitOfWork, slots: int, order: Order, queue_id: str | None = None) -> None:
    worker = await work.workers.register("w", host="h", process=1)
    await work.dispatch.claim(worker, devices=("cuda:0",) * slots, order=order, queue_id=queue_id)


async def _work(work: UnitOfWork) -> None:
    worker = await work.workers.register("w", host="h", process=1)
    items = await work.dispatch.claim(worker, devices=(None,) * 3)
    await work.workers.beat(worker)
    await work.dispatch.acknowledge([Completed(lease=item.lease) for item in items[:2]])
    await work.dispatch.acknowledge([Completed(lease=Lease(1, worker, 1))])
    await work.workers.recover_expired()
    await work.workers.unregister(worker)
    await work.workers.all()


async def _canvas_batches(work: UnitOfWork) -> object:
    found = await work.queue.slice(limit=1, only=ItemFilter(status="pending"))
    return await work.queue.cancel_batches([found.items[0].batch_id or ""])


OPERATIONS: dict[str, tuple[Principal, Operation]] = {
    "enqueue": (ANA, lambda w: w.queue.enqueue(batch(3), prepend=True, idempotency_key="k")),
    "claim one": (INTERNAL, lambda w: _claim(w, 1, Order.FAIR)),
    "claim many": (INTERNAL, lambda w: _claim(w, 20, Order.FAIR, "default")),
    "claim as InvokeAI": (INTERNAL, lambda w: _claim(w, 1, Order.ROUND_ROBIN)),
    "claim first come": (INTERNAL, lambda w: _claim(w, 5, Order.FIFO)),
    "work": (INTERNAL, _work),
    "look for work": (INTERNAL, lambda w: w.dispatch.is_work_waiting()),
    "status": (ANA, lambda w: w.queue.status()),
    "batch status": (INTERNAL, _canvas_batches),
    "destination counts": (ANA, lambda w: w.queue.destination_counts("canvas")),
    "position": (ANA, lambda w: w.queue.position(FINISHED + 20)),
    "position as InvokeAI": (ANA, lambda w: w.queue.position(FINISHED + 20, order=Order.ROUND_ROBIN)),
    "item": (ANA, lambda w: w.queue.get(5)),
    "items by ids": (ANA, lambda w: w.queue.many([5, 6, 7])),
    "items by ids with documents": (ANA, lambda w: w.queue.details([5, 6, 7])),
    "ids of a destination by priority": (ANA, lambda w: w.queue.ids_by_priority(destination="gallery")),
    "slice": (ANA, lambda w: w.queue.slice(limit=10)),
    "slice of a status": (ANA, lambda w: w.queue.slice(limit=10, only=ItemFilter(status="failed"))),
    "slice of a destination": (ANA, lambda w: w.queue.slice(limit=10, only=ItemFilter(destination="gallery"))),
    "slice of a user": (ROOT, lambda w: w.queue.slice(limit=10, only=ItemFilter(user_id="bo"))),
    "item ids of a user": (ANA, lambda w: w.queue.item_ids(user_id="ana", limit=100)),
    "next": (ANA, lambda w: w.queue.next_item()),
    "current": (ANA, lambda w: w.queue.current_item()),
    "cancel": (ANA, lambda w: w.queue.cancel(FINISHED + 1)),
    "delete": (ANA, lambda w: w.queue.delete(1)),
    "retry": (ANA, lambda w: w.queue.retry([1, 2])),
    "put first": (ROOT, lambda w: w.queue.put_first(FINISHED + 3)),
    "cancel the queue": (ANA, lambda w: w.queue.cancel_queue()),
    "cancel a destination": (ANA, lambda w: w.queue.cancel_destination("gallery")),
    "cancel all but the current": (ANA, lambda w: w.queue.cancel_all_except_current()),
    "delete items": (ANA, lambda w: w.queue.delete_items([1, 2])),
    "statistics": (ROOT, lambda w: w.queue_administration.statistics()),
    "sweep": (INTERNAL, lambda w: w.queue_administration.sweep(100)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_statement_reads_a_growing_table_from_end_to_end(grown: ExplainingStudio, name: str) -> None:
    """Neither the items nor the batches; what an operation changes is taken back."""
    who, operation = OPERATIONS[name]
    grown.plans.clear()

    async def attempt(work: UnitOfWork) -> None:
        await operation(work)
        raise Undone

    with suppress(Undone):
        run(_through(grown, who, attempt))
    assert grown.plans
    for statement, plan in grown.plans:
        assert not [step for step in plan if _is_a_scan(step)], (statement, plan)


@pytest.mark.parametrize("grown", ["sqlite"], indirect=True)
def test_a_claim_looks_only_at_those_who_wait(grown: ExplainingStudio) -> None:
    """Users who have nothing to run cost nothing, however many they are; of so few PostgreSQL reads all by any index."""
    grown.plans.clear()
    grown.direct.reading(INTERNAL, lambda work: work.dispatch.is_work_waiting())
    steps = [step for _, plan in grown.plans for step in plan]
    assert any("ix_queue_counts_waiting" in step for step in steps), steps


async def _through(studio: Studio, who: Principal, operation: Operation) -> None:
    with studio.direct.begin(who) as work:
        await operation(work)


def _is_a_scan(step: str) -> bool:
    # PostgreSQL reads a table of a thousand rows whole where it wants dozens of them; it counts what that costs.
    if step.startswith("->  Seq Scan on batches"):
        return False
    # The index of what was put first holds nothing else.
    if "ix_queue_items_put_first" in step or "ix_queue_items_held" in step:
        return False
    return any(step.removeprefix("->  ").startswith((f"SCAN {table}", f"Seq Scan on {table}")) for table in GROWING)
