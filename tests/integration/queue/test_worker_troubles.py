"""A worker whose database fails at a bad moment, and handlers that end in every way there is."""

import asyncio
import itertools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tenantry import Principal, Studio
from tenantry.database import DatabaseURL
from tenantry.errors import DatabaseUnavailable, InvalidInput
from tenantry.queue import Job, RetryLater, Status, UnitOfWork, Worker
from tenantry.queue.changes import ItemChanged
from tenantry.studio import connect
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, assert_counts_agree, statuses
from tests.integration.queue.working import RULES, all_are, detail, enqueue, nothing_left, working
from tests.waiting import until_async, until_awaited


class Troubled(Studio):
    """A studio whose database is out of reach, does not answer, or answers too late, when a test says so."""

    cut_off = False
    hangs = False
    loses_answer_to: Status | None = None

    @asynccontextmanager
    async def begin(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        if self.cut_off:
            raise DatabaseUnavailable
        if self.hangs:
            await until_async(lambda: not self.hangs)
        async with super().begin(principal) as work:
            yield work
        changed = [change for change in work.ground.changes if isinstance(change, ItemChanged)]
        if any(change.after is self.loses_answer_to for change in changed):
            # Stored, but nobody is told.
            self.loses_answer_to = None
            raise DatabaseUnavailable


@pytest.fixture
async def studio(database_url: DatabaseURL) -> AsyncIterator[Troubled]:
    """A studio with the real clock, leases that are short, and troubles."""
    opened = connect(database_url)
    studio = Troubled(opened.database, queue_rules=RULES)
    yield studio
    studio.cut_off = studio.hangs = False
    await studio.aclose()


@pytest.mark.parametrize("lost", [Status.IN_PROGRESS, Status.COMPLETED])
async def test_an_answer_that_is_lost_loses_no_item(studio: Troubled, people: People, lost: Status) -> None:
    """What was claimed without the worker's knowledge is given back; what was said twice counts once."""
    ran: list[int] = []

    async def render(job: Job) -> None:
        ran.append(job.item.item_id)

    ids = await enqueue(studio, people.ana, 3)
    studio.loses_answer_to = lost
    async with working(studio, render, concurrency=2):
        await until_awaited(lambda: all_are(studio, Status.COMPLETED))
    assert sorted(ran) == sorted(ids)
    await assert_counts_agree(Mode(studio, "async"))


async def test_results_are_kept_while_the_database_is_out_of_reach(studio: Troubled, people: People) -> None:
    """And said once it is back, within the lease."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    ran: list[int] = []

    async def render(job: Job) -> None:
        ran.append(job.item.item_id)
        begun.set()
        await go_on.wait()

    (item_id,) = await enqueue(studio, people.ana)
    async with working(studio, render) as worker:
        await begun.wait()
        studio.cut_off = True
        go_on.set()
        await until_async(lambda: bool(worker.unsaid))
        assert await all_are(studio, Status.IN_PROGRESS)
        studio.cut_off = False
        await until_awaited(lambda: all_are(studio, Status.COMPLETED))
    assert ran == [item_id]
    assert (await detail(studio, item_id)).item.attempt == 1


async def test_a_database_that_does_not_answer_stops_what_runs_in_time(studio: Troubled, people: People) -> None:
    """Once the lease has surely expired, although no sign of life has failed yet; then the worker goes on."""
    stopped: list[str | None] = []

    async def render(job: Job) -> None:
        if job.item.lease.attempt == 1:
            studio.hangs = True
            try:
                await asyncio.Event().wait()
            finally:
                stopped.append(job.canceled.reason)

    (item_id,) = await enqueue(studio, people.ana)
    async with working(studio, render):
        await until_async(lambda: studio.hangs)
        await until_async(lambda: bool(stopped))
        assert stopped == ["the lease was lost"]
        studio.hangs = False
        await until_awaited(lambda: all_are(studio, Status.COMPLETED))
    assert (await detail(studio, item_id)).item.attempt == 2


class Unspeakable(Exception):
    """An error that cannot even be printed."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_handler_may_end_in_any_way(studio: Troubled, people: People, in_thread: bool) -> None:
    """Each item fails by itself and the worker goes on."""
    errors: list[BaseException] = [
        asyncio.CancelledError(),
        SystemExit(3),
        StopIteration(),
        Unspeakable(),
        ValueError("a\0b\ud800"),
        RecursionError(),
    ]

    def end(job: Job) -> None:
        seed = job.field_values[0]["value"]
        if seed < len(errors):
            raise errors[seed]

    async def end_in_loop(job: Job) -> None:
        end(job)

    ids = await enqueue(studio, people.ana, len(errors) + 1)
    async with working(studio, end if in_thread else end_in_loop, concurrency=3):
        await until_awaited(lambda: nothing_left(studio))
    found = [(await detail(studio, item_id)).item for item_id in ids]
    assert [item.status for item in found] == [Status.FAILED] * len(errors) + [Status.COMPLETED]
    assert [found[0].error_type, found[1].error_type, found[3].error_type] == ["CancelledError", "SystemExit", "Unspeakable"]


def _too_late() -> None:
    raise RetryLater(math.inf)


def _too_long() -> str:
    return '"' + "x" * (16 * 1024 * 1024) + '"'


@pytest.mark.parametrize("result", ["no JSON", '{"a": NaN', {"a": "\ud800"}, {"a": float("nan")}, 7, _too_late, _too_long])
async def test_a_result_that_is_no_session_fails_its_item(studio: Troubled, people: People, result: object) -> None:
    """And nothing else."""

    async def render(job: Job) -> object:
        if job.field_values[0]["value"] == 1:
            return None
        return result() if callable(result) else result

    bad, good = await enqueue(studio, people.ana, 2)
    async with working(studio, render):
        await until_awaited(lambda: nothing_left(studio))
    assert await statuses(Mode(studio, "async")) == {bad: Status.FAILED, good: Status.COMPLETED}


async def test_what_the_worker_stops_does_not_fail(studio: Troubled, people: People) -> None:
    """Whatever its handler makes of being stopped, the item is given back for another to run, without counting as a loss."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def render(job: Job) -> None:
        loop.call_soon_threadsafe(begun.set)
        for fraction in itertools.count():
            job.canceled.wait_in_thread(0.01)
            job.progress(fraction / 1000)

    await enqueue(studio, people.ana)
    async with working(studio, render):
        await begun.wait()
    assert (await detail(studio, 1)).item.status is Status.PENDING
    async with studio.read(INTERNAL) as work:
        assert await work.dispatch.is_work_waiting()


async def test_a_worker_that_is_cancelled_gives_back_what_it_runs(studio: Troubled, people: People) -> None:
    """Like one that is stopped, and leaves no task behind."""
    begun = asyncio.Event()

    async def render(job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    await enqueue(studio, people.ana)
    before = asyncio.all_tasks()
    running = asyncio.create_task(Worker(studio, render, poll=0.05).run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before
    assert await all_are(studio, Status.PENDING)
    async with studio.read(INTERNAL) as work:
        assert await work.workers.all() == []


async def test_a_worker_without_devices_names_none(studio: Troubled, people: People) -> None:
    """Even where the item ran at one before."""
    seen: list[str | None] = []

    async def render(job: Job) -> None:
        seen.append(job.device)

    await enqueue(studio, people.ana)
    async with studio.begin(INTERNAL) as work:
        other = await work.workers.register("other", host="h", process=1)
        (item,) = await work.dispatch.claim(other, devices=["cuda:7"])
        await work.dispatch.release(item.lease)
    async with working(studio, render):
        await until_awaited(lambda: all_are(studio, Status.COMPLETED))
    assert seen == [None]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("concurrency", {"concurrency": 0}),
        ("concurrency", {"concurrency": 5_001}),
        ("poll", {"poll": 0}),
        ("grace", {"grace": -1}),
        ("queue_id", {"queue_id": "*"}),
        ("name", {"name": " "}),
    ],
)
def test_what_a_worker_cannot_be_is_refused(sqlite_url: DatabaseURL, field: str, given: dict[str, Any]) -> None:
    """When it is made, by name."""
    studio = connect(sqlite_url)
    with pytest.raises(InvalidInput) as refused:
        Worker(studio, print, **given)
    studio.close()
    assert refused.value.field == field
