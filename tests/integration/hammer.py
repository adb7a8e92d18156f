"""One of several processes that write to one SQLite file: `python -m tests.integration.hammer URL NAME TASKS THREADS ROUNDS`.

Prints how often it added one to the counter; any error ends it with a traceback.
"""

import asyncio
import sys

import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database.tables import app_settings
from tenantry.repositories import UnitOfWork
from tenantry.studio import connect
from tenantry.tenancy import InternalReason

OPERATOR = Principal.internal(InternalReason.OPERATE)
COUNTER = "counter"


async def add_one(work: UnitOfWork, name: str) -> None:
    """Read, then write, and insert a row of one's own: what is lost or doubled shows in the end."""
    connection = work.ground.connection
    value = await connection.fetch_value(sa.select(app_settings.c.value).where(app_settings.c.key == COUNTER))
    times = {"created_at": "2026", "updated_at": "2026"}
    if value is None:
        await connection.execute(sa.insert(app_settings).values(key=COUNTER, value="1", **times))
    else:
        await connection.execute(sa.update(app_settings).where(app_settings.c.key == COUNTER).values(value=str(int(value) + 1)))
    await connection.execute(sa.insert(app_settings).values(key=name, value="x", **times))


async def _task(studio: Studio, name: str, rounds: int) -> int:
    for number in range(rounds):
        async with studio.begin(OPERATOR) as work:
            await add_one(work, f"{name}-{number}")
        async with studio.read(OPERATOR) as work:
            assert await work.ground.connection.fetch_value(
                sa.select(app_settings.c.key).where(app_settings.c.key == f"{name}-{number}")
            )
    return rounds


def _thread(studio: Studio, name: str, rounds: int) -> int:
    for number in range(rounds):
        with studio.direct.begin(OPERATOR) as work:
            run(add_one(work, f"{name}-{number}"))
    return rounds


async def hammer(url: str, name: str, tasks: int, threads: int, rounds: int) -> int:
    """Write with both modes at once."""
    studio = await asyncio.to_thread(connect, url)
    done = await asyncio.gather(
        *[_task(studio, f"{name}-task-{number}", rounds) for number in range(tasks)],
        *[asyncio.to_thread(_thread, studio, f"{name}-thread-{number}", rounds) for number in range(threads)],
    )
    await studio.aclose()
    return sum(done)


if __name__ == "__main__":
    print(asyncio.run(hammer(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))))
