"""The direct mode: repositories without an event loop, in any thread, beside the asynchronous mode."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL
from tenantry.errors import WriterHeldByThisLoop
from tenantry.studio import connect
from tests.integration.conftest import People


def test_run_gives_the_answer_of_a_coroutine_that_never_waits() -> None:
    """And lets its exceptions through."""

    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ZeroDivisionError

    assert run(answer()) == 42
    with pytest.raises(ZeroDivisionError):
        run(fail())


def test_run_refuses_a_coroutine_that_waits_for_a_loop() -> None:
    """It is closed, so that what it opened is put away."""
    closed = []

    async def wait() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="waits for an event loop"):
        run(wait())
    assert closed == [True]


async def test_run_refuses_an_asynchronous_unit_of_work(studio: Studio, people: People) -> None:
    """Its statements need the loop; the studio goes on."""
    with pytest.raises(RuntimeError, match="waits for an event loop"):
        async with studio.begin(people.ana) as work:
            run(work.boards.create("Foxes"))
    async with studio.begin(people.ana) as work:
        await work.boards.create("Wolves")


def test_no_event_loop_is_needed(database_url: DatabaseURL) -> None:
    """Open, read, close: all without one, in several threads."""
    studio = connect(database_url)
    nobody = Principal("nobody")
    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(studio.direct.reading, nobody, lambda work: work.boards.all()) for _ in range(32)]
        assert [job.result() for job in jobs] == [[]] * 32
    studio.close()


async def test_threads_and_tasks_write_beside_each_other(studio: Studio, people: People) -> None:
    """Each board is made once, by its owner."""

    async def task(number: int) -> None:
        async with studio.begin(people.ana) as work:
            await work.boards.create(f"task {number}")

    def thread(number: int) -> None:
        studio.direct.writing(people.bo, lambda work: work.boards.create(f"thread {number}"))

    await asyncio.gather(*[task(n) for n in range(20)], *[asyncio.to_thread(thread, n) for n in range(20)])
    async with studio.read(people.root) as work:
        found = {(board.user_id, board.board_name) for board in await work.boards.all()}
    assert found == {("ana", f"task {n}") for n in range(20)} | {("bo", f"thread {n}") for n in range(20)}


async def test_a_direct_write_on_a_loops_own_thread(studio: Studio, people: People) -> None:
    """Works while no task of the loop holds the writer; while one does, SQLite's is refused at once."""
    studio.direct.writing(people.ana, lambda work: work.boards.create("before"))
    async with studio.begin(people.ana) as work:
        await work.boards.create("outer")
        if studio.database.dialect == "sqlite":
            with pytest.raises(WriterHeldByThisLoop):
                studio.direct.writing(people.ana, lambda work: work.boards.create("inner"))
        else:
            studio.direct.writing(people.ana, lambda work: work.boards.create("inner"))
    studio.direct.writing(people.ana, lambda work: work.boards.create("after"))
    async with studio.read(people.ana) as work:
        names = {board.board_name for board in await work.boards.all()}
    assert names - {"inner"} == {"before", "outer", "after"}


async def test_a_direct_read_on_a_loops_own_thread_never_waits(studio: Studio, people: People) -> None:
    """Not even while a task holds the writer."""
    async with studio.begin(people.ana) as work:
        await work.boards.create("unseen")
        assert studio.direct.reading(people.ana, lambda work: work.boards.all()) == []
