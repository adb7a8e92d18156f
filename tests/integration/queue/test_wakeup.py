"""Who waits for work is woken: in this process at the commit, and through PostgreSQL from any other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL
from tenantry.database.tables import users
from tenantry.errors import InvalidDatabaseURL
from tenantry.queue import Completed
from tenantry.queue.wakeup import CHANNEL, Wakeup
from tenantry.studio import connect
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, batch, claim, enqueue, register
from tests.waiting import until_async, until_awaited

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
"""Nothing listens there, so whoever listens there hears nothing."""


@asynccontextmanager
async def heard(url: DatabaseURL) -> AsyncIterator[list[str]]:
    """What is said on the channel while the block runs, by a listener of its own."""
    said: list[str] = []
    connection = await asyncpg.connect(url.url.set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.add_listener(CHANNEL, lambda *message: said.append(message[3]))
    try:
        yield said
    finally:
        await connection.close()


async def test_a_commit_wakes_whoever_waits_in_this_process(mode: Mode, people: People) -> None:
    """For work where something may be claimed, for the end of a run where one was canceled or deleted; for no claim."""
    deaf = Mode(Studio(mode.studio.database, listening_url=NOWHERE), mode.name)
    async with Wakeup(deaf.studio) as wakeup:
        worker = await register(deaf)
        for end, woken_for in (
            (lambda work: work.queue.cancel(1), {"work", "ended"}),
            (lambda work: work.queue.delete_items([2]), {"ended"}),
        ):
            await enqueue(deaf, people.ana)
            assert await _woken_for(wakeup) == {"work"}
            await claim(deaf, worker)
            await deaf.write(people.ana, end)
            assert await _woken_for(wakeup) == woken_for


async def _woken_for(wakeup: Wakeup) -> set[str]:
    """What somebody who waits is woken for, at one go."""
    await until_async(lambda: wakeup.work.is_set() or wakeup.ended.is_set())
    woken = {name for name, event in (("work", wakeup.work), ("ended", wakeup.ended)) if event.is_set()}
    wakeup.work.clear()
    wakeup.ended.clear()
    return woken


async def test_a_unit_of_work_in_a_thread_wakes_the_loop(studio: Studio, people: People) -> None:
    """And whoever has stopped waiting is not woken."""
    async with Wakeup(studio) as wakeup:
        await until_async(lambda: wakeup.work.is_set() or studio.dialect == "sqlite")
        wakeup.work.clear()
        await asyncio.to_thread(studio.direct.writing, people.ana, lambda work: work.queue.enqueue(batch()))
        await until_async(wakeup.work.is_set)
    wakeup.work.clear()
    await asyncio.to_thread(studio.direct.writing, people.ana, lambda work: work.queue.enqueue(batch()))
    assert not wakeup.work.is_set()


@pytest.mark.postgres
async def test_one_notification_is_sent_with_a_commit(postgres_url: DatabaseURL) -> None:
    """One for all that a transaction did, none before its end, none for what is undone and for what nobody waits for."""
    studio = connect(postgres_url)
    await _add_ana(studio)
    ana = Principal("ana")
    try:
        async with heard(postgres_url) as said:
            with suppress(ZeroDivisionError):
                async with studio.begin(ana) as work:
                    await work.queue.enqueue(batch(3))
                    raise ZeroDivisionError
            async with studio.begin(ana) as work:
                first = await work.queue.enqueue(batch(3))
                await work.queue.enqueue(batch(3))
            worker, items = await _claimed(studio, 2)
            async with studio.begin(INTERNAL) as work:
                await work.dispatch.acknowledge([Completed(lease=items[0].lease)])
            async with studio.begin(ana) as work:
                await work.queue.cancel(items[1].item_id)
                await work.queue.enqueue(batch())
            with studio.direct.begin(INTERNAL) as work:
                run(work.queue_administration.pause())
                run(work.queue_administration.resume_queue())
            async with studio.begin(INTERNAL) as work:
                await work.workers.unregister(worker)
            await until_async(lambda: len(said) == 3)
            assert said == ["work", "work ended", "work"]
            assert len(first.item_ids) == 3
    finally:
        await studio.aclose()


@pytest.mark.postgres
async def test_listening_begins_anew_when_it_was_cut_off(postgres_url: DatabaseURL) -> None:
    """Whoever waits is woken once then, for what was missed meanwhile, and hears again what is told."""
    studio = connect(postgres_url)
    own = "datname = current_database() AND application_name = 'tenantry worker'"
    end = sa.text(f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}")
    ended: set[int] = set()

    async def cut_off() -> bool:
        async with studio.database.writing(None) as connection:
            found = {row.pid for row in await connection.fetch_all(end)} - ended
        ended.update(found)
        return bool(found)

    try:
        async with Wakeup(studio) as wakeup:
            for _ in range(2):
                assert await _woken_for(wakeup) == {"work", "ended"}
                await until_awaited(cut_off)
            assert await _woken_for(wakeup) == {"work", "ended"}
            async with studio.database.writing(None) as connection:
                await connection.fetch_value(sa.select(sa.func.pg_notify(CHANNEL, "ended")))
            assert await _woken_for(wakeup) == {"ended"}
            assert len(ended) == 2
    finally:
        await studio.aclose()


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///other.db"])
def test_what_cannot_be_listened_to_is_refused(sqlite_url: DatabaseURL, url: str) -> None:
    """By the name of its setting."""
    with pytest.raises(InvalidDatabaseURL) as refused:
        connect(sqlite_url, listening_url=url)
    assert refused.value.field == "listen_database"


async def _add_ana(studio: Studio) -> None:
    async with studio.begin(INTERNAL) as work:
        values = {"user_id": "ana", "email": "ana@example.com", "created_at": "", "updated_at": ""}
        await work.ground.connection.execute(sa.insert(users).values(values))


async def _claimed(studio: Studio, slots: int) -> tuple[str, list[Any]]:
    mode = Mode(studio, "async")
    worker = await register(mode)
    return worker, await claim(mode, worker, slots)
