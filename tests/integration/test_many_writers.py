"""Several processes, tasks and threads write to one SQLite file at once: each waits its turn, nothing is lost."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenantry import Principal
from tenantry.database import DatabaseURL
from tenantry.database.tables import app_settings
from tenantry.errors import DatabaseBusy
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.hammer import COUNTER, add_one, hammer

OPERATOR = Principal.internal(InternalReason.OPERATE)
ROOT = Path(__file__).parents[2]


async def count(url: str) -> tuple[int, int]:
    """The counter, and how many rows the writers left beside it."""
    studio = connect(url)
    async with studio.read(OPERATOR) as work:
        connection = work.ground.connection
        value = await connection.fetch_value(sa.select(app_settings.c.value).where(app_settings.c.key == COUNTER))
        rows = await connection.fetch_value(sa.select(sa.func.count()).select_from(app_settings))
    await studio.aclose()
    return int(value), rows - 1


def test_four_processes_with_sixteen_tasks_and_two_threads_each_lose_nothing(tmp_path: Path) -> None:
    """They also make and migrate the file, all at once; none ever sees "database is locked"."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.hammer", url, f"process-{number}", "16", "2", "3"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    outputs = [process.communicate() for process in processes]
    assert [errors for _, errors in outputs] == [""] * 4
    assert [int(output) for output, _ in outputs] == [54] * 4
    assert asyncio.run(count(url)) == (216, 216)


async def test_both_modes_at_once_in_one_process_lose_nothing(sqlite_url: DatabaseURL) -> None:
    """Tasks and threads share one writer."""
    url = sqlite_url.url.render_as_string()
    assert await hammer(url, "here", tasks=16, threads=8, rounds=8) == 192
    assert await count(url) == (192, 192)


@pytest.mark.parametrize("name", ["async", "direct"])
async def test_a_write_waits_for_another_program_up_to_the_busy_timeout(sqlite_url: DatabaseURL, name: str) -> None:
    """After that it says that the database is busy, and the next write works once the other is done."""
    studio = connect(sqlite_url, busy_timeout=0.2)
    other = sqlite3.connect(sqlite_url.path, isolation_level=None, check_same_thread=False)

    async def write(key: str) -> None:
        if name == "direct":
            await asyncio.to_thread(studio.direct.writing, OPERATOR, lambda work: add_one(work, key))
            return
        async with studio.begin(OPERATOR) as work:
            await add_one(work, key)

    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        await write("too-early")
    waiting = asyncio.create_task(write("in-time"))
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    await waiting
    async with studio.read(OPERATOR) as work:
        assert await work.ground.connection.fetch_value(sa.select(sa.func.count()).select_from(app_settings)) == 2
    other.close()
    await studio.aclose()
