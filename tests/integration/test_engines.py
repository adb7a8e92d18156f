"""Transactions: whole or not at all, whatever happens to the task that has one, on both databases and in both modes."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL, SQLiteDatabase
from tenantry.database.tables import app_settings, boards
from tenantry.errors import (
    DatabaseReadOnly,
    DatabaseUnavailable,
    IntegrityViolation,
    TransactionEnded,
    WriterHeldByThisLoop,
)
from tenantry.repositories import UnitOfWork
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, People

OPERATOR = Principal.internal(InternalReason.OPERATE)


async def put(work: UnitOfWork, key: str) -> None:
    await work.ground.connection.execute(
        sa.insert(app_settings).values(key=key, value="x", created_at="2026", updated_at="2026")
    )


async def keys(work: UnitOfWork) -> list[str]:
    rows = await work.ground.connection.fetch_all(sa.select(app_settings.c.key).order_by(app_settings.c.key))
    return [row.key for row in rows]


async def put_two(work: UnitOfWork, name: str) -> None:
    await put(work, f"{name}-1")
    await put(work, f"{name}-2")


async def test_an_exception_undoes_the_whole_block(mode: Mode) -> None:
    """Nothing of it is stored, and the next block works."""

    async def fail(work: UnitOfWork) -> None:
        await put_two(work, "lost")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await mode.write(OPERATOR, fail)
    await mode.write(OPERATOR, lambda work: put_two(work, "kept"))
    assert await mode.read(OPERATOR, keys) == ["kept-1", "kept-2"]


async def test_cancelling_a_task_at_any_moment_leaves_all_or_nothing(studio: Studio) -> None:
    """At begin, in a statement, at commit: the connection stays usable and nothing is half-written."""

    async def write(name: str) -> None:
        async with studio.begin(OPERATOR) as work:
            await put_two(work, name)

    await write("warm")
    started = time.perf_counter()
    await write("timed")
    whole = time.perf_counter() - started
    moments = 60
    for moment in range(moments):
        task = asyncio.create_task(write(f"{moment:03d}"))
        await _rounds_for(whole * 1.3 * moment / moments)
        task.cancel()
        if moment % 3 == 0:
            # Impatient callers cancel twice.
            await asyncio.sleep(0)
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await write("after")
    async with studio.read(OPERATOR) as work:
        found = await keys(work)
    assert len([key for key in found if key.endswith("-1")]) == len([key for key in found if key.endswith("-2")])
    assert {key[:-2] for key in found} >= {"warm", "timed", "after"}


async def test_many_cancelled_tasks_leave_the_others_alone(studio: Studio) -> None:
    """Every second of 40 tasks that write at once is cancelled; the others are all stored."""

    async def write(number: int) -> None:
        async with studio.begin(OPERATOR) as work:
            await put_two(work, f"{number:03d}")

    tasks = [asyncio.create_task(write(number)) for number in range(40)]
    for round_, task in enumerate(tasks[1::2]):
        for _ in range(round_):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with studio.read(OPERATOR) as work:
        found = set(await keys(work))
    for number, task in enumerate(tasks):
        stored = {f"{number:03d}-1", f"{number:03d}-2"} & found
        assert len(stored) in ({0, 2} if task.cancelled() else {2})


async def test_cancelled_reads_leave_the_readers_usable(studio: Studio) -> None:
    """Also when the cancellation comes while a reader is being opened."""

    async def read() -> list[str]:
        async with studio.read(OPERATOR) as work:
            return await keys(work)

    for moment in range(40):
        tasks = [asyncio.create_task(read()) for _ in range(3)]
        for _ in range(moment):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await asyncio.gather(*[read() for _ in range(20)]) == [[]] * 20


async def test_a_failing_commit_stores_nothing_and_frees_the_connection(mode: Mode) -> None:
    """A rule that is judged at the end raises a typed error there."""

    async def break_a_rule_at_the_end(work: UnitOfWork) -> None:
        connection = work.ground.connection
        await put(work, "lost")
        if connection.dialect == "sqlite":
            await connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
            await connection.execute(
                sa.insert(boards).values(board_id="b", user_id="nobody", board_name="b", created_at="2026", updated_at="2026")
            )
        else:
            await connection.execute(sa.text("CREATE TEMP TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
            await connection.execute(sa.text("INSERT INTO late VALUES (1), (1)"))

    with pytest.raises(IntegrityViolation):
        await mode.write(OPERATOR, break_a_rule_at_the_end)
    await mode.write(OPERATOR, lambda work: put(work, "kept"))
    assert await mode.read(OPERATOR, keys) == ["kept"]


async def test_a_swallowed_error_is_never_taken_for_success(mode: Mode) -> None:
    """Where the database undoes the whole transaction on an error, the end of the block says so."""

    async def swallow(work: UnitOfWork) -> None:
        await put(work, "first")
        with pytest.raises(IntegrityViolation):
            await put(work, "first")

    if mode.studio.database.dialect == "sqlite":
        await mode.write(OPERATOR, swallow)
        assert await mode.read(OPERATOR, keys) == ["first"]
        return
    with pytest.raises(TransactionEnded):
        await mode.write(OPERATOR, swallow)
    assert await mode.read(OPERATOR, keys) == []


@pytest.mark.parametrize("direct_reader", [False, True])
async def test_a_read_sees_one_moment(studio: Studio, direct_reader: bool) -> None:
    """What others commit meanwhile, in either mode, shows only in the next read."""
    reader = Mode(studio, "direct" if direct_reader else "async")

    async def read_twice(work: UnitOfWork) -> tuple[list[str], list[str]]:
        before = await keys(work)
        with studio.direct.begin(OPERATOR) as writing:
            run(put(writing, "late"))
        return before, await keys(work)

    assert await reader.read(OPERATOR, read_twice) == ([], [])
    assert await reader.read(OPERATOR, keys) == ["late"]


async def test_each_mode_reads_what_the_other_wrote(studio: Studio) -> None:
    """At once, in the same thread and in another."""
    modes = Mode(studio, "async"), Mode(studio, "direct")
    for writer in modes:
        for reader in modes:
            name = f"{writer.name}-{reader.name}"
            await writer.write(OPERATOR, partial(put, key=name))
            assert name in await reader.read(OPERATOR, keys)
    in_thread = await asyncio.to_thread(studio.direct.reading, OPERATOR, keys)
    assert len(in_thread) == 4


async def test_a_block_reads_its_own_writes(mode: Mode) -> None:
    """And nobody else does before it ends."""

    async def write(work: UnitOfWork) -> tuple[list[str], list[str]]:
        await put(work, "mine")
        return await keys(work), await mode.read(OPERATOR, keys)

    assert await mode.write(OPERATOR, write) == (["mine"], [])


async def test_a_write_in_a_read_block_is_refused(mode: Mode, people: People) -> None:
    """By the database itself, with a typed error."""
    with pytest.raises(DatabaseReadOnly):
        await mode.read(OPERATOR, lambda work: put(work, "x"))
    with pytest.raises(DatabaseReadOnly):
        await mode.read(people.ana, lambda work: work.boards.create("Foxes"))
    assert await mode.read(OPERATOR, keys) == []


async def test_a_unit_of_work_cannot_be_used_after_its_end(mode: Mode, people: People) -> None:
    """Else its statements would run inside somebody else's transaction."""

    async def leak(work: UnitOfWork) -> UnitOfWork:
        return work

    for leaked in (await mode.write(people.ana, leak), await mode.read(people.ana, leak)):
        async with mode.studio.begin(people.bo):
            with pytest.raises(TransactionEnded):
                await leaked.boards.create("Ghost")
            with pytest.raises(TransactionEnded):
                await leaked.ground.connection.act_as(OPERATOR.identity)
    assert await mode.read(people.root, lambda work: work.boards.all()) == []


async def test_a_task_may_not_begin_inside_its_own_transaction(sqlite_url: DatabaseURL) -> None:
    """On SQLite there is one writer, so the inner block would wait for ever; it is refused at once and the outer goes on."""
    studio = connect(sqlite_url)
    async with studio.begin(OPERATOR) as work:
        with pytest.raises(WriterHeldByThisLoop):
            async with studio.begin(OPERATOR):
                pass
        with pytest.raises(WriterHeldByThisLoop), studio.direct.begin(OPERATOR):
            pass
        await put(work, "outer")
    with studio.direct.begin(OPERATOR), pytest.raises(WriterHeldByThisLoop):
        async with studio.begin(OPERATOR):
            pass
    async with studio.read(OPERATOR) as work:
        assert await keys(work) == ["outer"]
    await studio.aclose()


async def test_two_hundred_reads_at_once_use_few_file_handles(sqlite_url: DatabaseURL) -> None:
    """They wait for one another instead of opening the file once each, and the next two hundred need no more."""
    studio = connect(sqlite_url)
    before, most = _handles(), 0

    async def read() -> list[str]:
        nonlocal most
        async with studio.read(OPERATOR) as work:
            first = await keys(work)
            most = max(most, _handles())
            return first + await keys(work)

    assert await asyncio.gather(*[read() for _ in range(200)]) == [[]] * 200
    at_first = most
    assert at_first - before < 200
    assert await asyncio.gather(*[read() for _ in range(200)]) == [[]] * 200
    assert most - at_first < 20
    await studio.aclose()


async def test_two_hundred_units_of_work_at_once_all_succeed(studio: Studio) -> None:
    """Reads and writes mixed, more than any pool is large."""

    async def write(number: int) -> None:
        async with studio.begin(OPERATOR) as work:
            await put(work, f"{number:03d}")

    async def read() -> int:
        async with studio.read(OPERATOR) as work:
            return len(await keys(work))

    await asyncio.gather(*[write(number) for number in range(100)], *[read() for _ in range(100)])
    assert await read() == 100


async def test_a_closed_studio_says_so(mode: Mode) -> None:
    """Also for what was opened before."""
    await mode.read(OPERATOR, keys)
    await mode.studio.aclose()
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: mode.read(OPERATOR, keys),
        lambda: mode.write(OPERATOR, lambda work: put(work, "x")),
    ]
    for call in calls:
        with pytest.raises(DatabaseUnavailable):
            await call()


async def _rounds_for(seconds: float) -> None:
    """Let the loop go round for so long, finer than its own timers are."""
    end = time.perf_counter() + seconds
    for _ in iter(lambda: time.perf_counter() < end, False):
        await asyncio.sleep(0)


def _handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if os.path.isdir("/proc/self/fd") else 0


def test_a_studio_is_closed_without_leaving_files_open(sqlite_url: DatabaseURL) -> None:
    """Every reader and the writer give their handles back."""
    before = _handles()
    studio = connect(sqlite_url)
    studio.direct.writing(OPERATOR, lambda work: put(work, "x"))
    assert studio.direct.reading(OPERATOR, keys) == ["x"]
    assert isinstance(studio.database, SQLiteDatabase)
    studio.close()
    assert _handles() == before
