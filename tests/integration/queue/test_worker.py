"""A worker in this process: it runs what is queued, and stops what is not to go on."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.cli.worker import load_handler
from tenantry.database import DatabaseURL, tables
from tenantry.errors import DatabaseUnavailable, LeaseLost
from tenantry.queue import Job, JobProgress, Order, RetryLater, Status, Worker
from tenantry.studio import connect
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, assert_counts_agree, statuses
from tests.integration.queue.working import RULES, all_are, detail, enqueue, nothing_left, working
from tests.waiting import until_async, until_awaited


@pytest.fixture
async def studio(database_url: DatabaseURL) -> AsyncIterator[Studio]:
    """A studio with the real clock, and leases that are short."""
    opened = connect(database_url)
    studio = Studio(opened.database, queue_rules=RULES)
    yield studio
    await studio.aclose()


def finished(studio: Studio) -> Callable[[], Awaitable[bool]]:
    return lambda: all_are(studio, Status.COMPLETED)


async def session_of(studio: Studio, item_id: int) -> Any:
    return json.loads((await detail(studio, item_id)).session or "null")


async def test_items_are_run_and_completed(studio: Studio, people: People) -> None:
    """By an asynchronous function; what it returns is the session, and progress is told."""
    told: list[JobProgress] = []

    async def render(job: Job) -> dict[str, Any]:
        job.progress(1.0, "done")
        return {"id": job.item.session_id, "seed": job.field_values[0]["value"], "user": job.user_id}

    ids = await enqueue(studio, people.ana, 5)
    async with working(studio, render, concurrency=2, on_progress=told.append):
        await until_awaited(finished(studio))
        (more,) = await enqueue(studio, people.bo)
        await until_awaited(finished(studio))
    assert (await session_of(studio, ids[3]))["seed"] == 3
    assert (await session_of(studio, more))["user"] == "bo"
    assert len(told) == 6
    async with studio.read(INTERNAL) as work:
        assert await work.workers.all() == []
    await assert_counts_agree(Mode(studio, "async"))


async def test_the_example_does_what_it_says(studio: Studio, people: People) -> None:
    """It names the nodes of the graph."""
    await enqueue(studio, people.ana)
    async with working(studio, load_handler("examples.worker:name_nodes")):
        await until_awaited(finished(studio))
    assert (await session_of(studio, 1))["executed"] == ["noise", "board"]


async def test_a_plain_function_runs_in_a_thread(studio: Studio, people: People) -> None:
    """As many at once as there are places, each at its device."""
    together = threading.Barrier(3, timeout=10)
    seen: list[str | None] = []

    def render(job: Job) -> None:
        together.wait()
        seen.append(job.device)
        job.save_now({"id": job.item.session_id})

    await enqueue(studio, people.ana, 3)
    async with working(studio, render, devices=("cuda:0", "cuda:1", "cpu")):
        await until_awaited(finished(studio))
    assert sorted(each or "" for each in seen) == ["cpu", "cuda:0", "cuda:1"]


async def test_a_handler_that_raises_fails_its_item_alone(studio: Studio, people: People) -> None:
    """With type, message and traceback; one that asks for later is given its item again."""
    attempts: list[int] = []

    async def render(job: Job) -> object:
        seed = job.field_values[0]["value"]
        attempts.append(seed)
        if seed == 0:
            raise ZeroDivisionError("no seed")
        if seed == 1 and attempts.count(1) < 3:
            raise RetryLater
        return object() if seed == 2 else None

    ids = await enqueue(studio, people.ana, 4)
    async with working(studio, render):
        await until_awaited(lambda: nothing_left(studio))
    found = await statuses(Mode(studio, "async"))
    assert [found[each] for each in ids] == [Status.FAILED, Status.COMPLETED, Status.FAILED, Status.COMPLETED]
    failed = (await detail(studio, ids[0])).item
    assert (failed.error_type, failed.error_message) == ("ZeroDivisionError", "no seed")
    assert "ZeroDivisionError: no seed" in (failed.error_traceback or "")
    assert attempts.count(1) == 3


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_canceled_item_is_stopped(studio: Studio, people: People, in_thread: bool) -> None:
    """Wherever it is canceled; what the handler says after that is not heard, and the place is free again."""
    stopped: list[str | None] = []
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def render(job: Job) -> None:
        if job.item.item_id == 1:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.append(job.canceled.reason)
                with pytest.raises(LeaseLost):
                    job.progress(0.5)

    def render_in_thread(job: Job) -> None:
        if job.item.item_id == 1:
            loop.call_soon_threadsafe(begun.set)
            assert job.canceled.wait_in_thread(20)
            stopped.append(job.canceled.reason)
            job.canceled.raise_if_set()

    await enqueue(studio, people.ana)
    async with working(studio, render_in_thread if in_thread else render):
        await begun.wait()
        async with studio.begin(people.ana) as work:
            await work.queue.cancel(1)
        await until_async(lambda: bool(stopped))
        (other,) = await enqueue(studio, people.ana)
        await until_awaited(lambda: _is(studio, other, Status.COMPLETED))
    assert await statuses(Mode(studio, "async")) == {1: Status.CANCELED, other: Status.COMPLETED}
    assert "canceled" in (stopped[0] or "")


async def _is(studio: Studio, item_id: int, status: Status) -> bool:
    return (await statuses(Mode(studio, "async")))[item_id] is status


async def test_a_worker_that_drains_finishes_what_runs(studio: Studio, people: People) -> None:
    """And claims nothing more; also when an administrator says so."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def render(job: Job) -> None:
        begun.set()
        await go_on.wait()

    await enqueue(studio, people.ana, 2)
    worker = Worker(studio, render, poll=0.05)
    running = asyncio.create_task(worker.run())
    await begun.wait()
    async with studio.begin(people.root) as work:
        (registered,) = await work.workers.all()
        await work.workers.drain(registered.worker_id)
    await until_async(lambda: worker.draining)
    go_on.set()
    await asyncio.wait_for(running, 10)
    assert sorted((await statuses(Mode(studio, "async"))).values()) == [Status.COMPLETED, Status.PENDING]


async def test_what_does_not_end_in_time_is_given_back(studio: Studio, people: People) -> None:
    """At once, for others to run; a thread that goes on is not heard."""
    begun, release = threading.Event(), threading.Event()

    def render(job: Job) -> None:
        begun.set()
        release.wait(20)

    await enqueue(studio, people.ana)
    worker = Worker(studio, render, poll=0.05, grace=30.0)
    running = asyncio.create_task(worker.run())
    await until_async(begun.is_set)
    worker.stop()
    await asyncio.wait_for(running, 15)
    release.set()
    assert await statuses(Mode(studio, "async")) == {1: Status.PENDING}
    await assert_counts_agree(Mode(studio, "async"))


async def test_a_worker_that_was_given_up_begins_anew(studio: Studio, people: People) -> None:
    """Its lease is ended behind its back: what it runs is stopped, and run again."""
    attempts: list[int] = []

    async def render(job: Job) -> None:
        attempts.append(job.item.lease.attempt)
        if len(attempts) == 1:
            await asyncio.Event().wait()

    await enqueue(studio, people.ana)
    async with working(studio, render):
        await until_async(lambda: bool(attempts))
        async with studio.begin(INTERNAL) as work:
            await work.ground.connection.execute(sa.update(tables.workers).values(expires_at="2000-01-01 00:00:00.000"))
        await until_awaited(finished(studio))
    assert attempts == [1, 2]


async def test_without_signs_of_life_nothing_is_claimed(
    studio: Studio, people: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, stops what it runs once its lease has surely expired, and goes on when it is heard again."""
    ran: list[int] = []
    stopped: list[str | None] = []

    async def render(job: Job) -> None:
        ran.append(job.item.item_id)
        if len(ran) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.append(job.canceled.reason)

    from tenantry.queue.leases import Leases

    real = Leases.beat
    dumb = True

    async def beat(self: Leases, worker_id: str) -> Any:
        if dumb:
            raise DatabaseUnavailable("cut off")
        return await real(self, worker_id)

    monkeypatch.setattr(Leases, "beat", beat)
    await enqueue(studio, people.ana)
    async with working(studio, render):
        await until_async(lambda: bool(ran))
        await until_async(lambda: bool(stopped))
        assert stopped == ["the lease was lost"]
        await enqueue(studio, people.ana)
        assert len(ran) == 1
        dumb = False
        await until_awaited(finished(studio))
    told = capsys.readouterr()
    assert "no sign of life" in told.out + told.err


async def test_a_duty_that_dies_ends_the_worker(studio: Studio, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to limp on without it."""
    from tenantry.queue.leases import Leases

    async def beat(self: Leases, worker_id: str) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Leases, "beat", beat)

    async def render(job: Job) -> None:
        return None

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(Worker(studio, render, poll=0.05).run(), 20)


@pytest.mark.postgres
async def test_work_is_told_of_across_processes(postgres_url: DatabaseURL) -> None:
    """By PostgreSQL, through a studio that shares nothing with the worker's; without it the worker looks by itself."""
    one, other = connect(postgres_url), connect(postgres_url)
    ana = Principal("ana")
    began: list[int] = []

    async def render(job: Job) -> None:
        began.append(job.item.item_id)

    try:
        async with one.begin(INTERNAL) as work:
            await work.ground.connection.execute(
                sa.insert(tables.users).values(user_id="ana", email="a@b.c", created_at="", updated_at="")
            )
        # So rarely does it look that only a notification explains that it runs.
        async with working(one, render, poll=600.0):
            await until_awaited(lambda: _listens(other))
            (first,) = await enqueue(other, ana)
            await until_async(lambda: first in began)
            await _cut_off(other)
            await until_awaited(lambda: _listens(other))
            (second,) = await enqueue(other, ana)
            await until_async(lambda: second in began)
        deaf = Studio(one.database, listening_url="postgresql://nobody@127.0.0.1:1/nowhere")
        async with working(deaf, render, poll=0.05, order=Order.FIFO):
            (third,) = await enqueue(other, ana)
            await until_async(lambda: third in began)
        assert began == [first, second, third]
    finally:
        await one.aclose()
        await other.aclose()


_LISTENER = "datname = current_database() AND application_name = 'tenantry worker'"


async def _listens(studio: Studio) -> bool:
    async with studio.database.reading(None) as connection:
        return bool(await connection.fetch_value(sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE {_LISTENER}")))


async def _cut_off(studio: Studio) -> None:
    """End the listening connection from outside."""
    async with studio.database.writing(None) as connection:
        await connection.fetch_all(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_LISTENER}"))
