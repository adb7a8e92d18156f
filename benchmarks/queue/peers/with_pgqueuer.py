"""Works with pgqueuer, one duty a process; run with an interpreter that has it: URL, duty, number."""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import asyncpg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries
from pgqueuer.types import QueueExecutionMode

_PAYLOAD = b"x" * 1024


async def main(url: str, duty: str, number: int) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    match duty:
        case "install":
            await queries.install()
        case "bulk":
            begun = time.perf_counter()
            for _ in range(number // 1_000):
                await queries.enqueue(["bulk"] * 1_000, [_PAYLOAD] * 1_000, [0] * 1_000)
            print(time.perf_counter() - begun)
            await queries.clear_queue("bulk")
        case "fill":
            await queries.enqueue(["noop"] * number, [_PAYLOAD] * number, [0] * number)
        case "left":
            print(await connection.fetchval("SELECT count(*) FROM pgqueuer"))
        case "drain":
            await _drain(connection)
        case "wake":
            await _wake(connection, number)
        case "send":
            await _send(queries)
    await connection.close()


async def _drain(connection: asyncpg.Connection) -> None:
    """Claims of 500 until nothing waits; the last result is stored when it says so."""
    queuer = PgQueuer(AsyncpgDriver(connection))

    @queuer.entrypoint("noop")
    async def noop(_: object) -> None:
        return None

    print("ready", flush=True)
    sys.stdin.readline()
    await queuer.run(batch_size=500, dequeue_timeout=timedelta(milliseconds=10), mode=QueueExecutionMode.drain)
    print("done", flush=True)


async def _wake(connection: asyncpg.Connection, number: int) -> None:
    queuer = PgQueuer(AsyncpgDriver(connection))
    ended = _teller(number, queuer.shutdown.set)

    @queuer.entrypoint("wake")
    async def wake(_: object) -> None:
        ended(time.time())

    running = asyncio.create_task(queuer.run(batch_size=10, dequeue_timeout=timedelta(seconds=30)))
    await asyncio.sleep(1)
    print("waits", flush=True)
    await running


def _teller(number: int, finish: Callable[[], None]) -> Callable[[float], None]:
    """Prints each moment, and finishes after so many."""
    told = 0

    def tell(moment: float) -> None:
        nonlocal told
        told += 1
        print(moment, flush=True)
        if told == number:
            finish()

    return tell


async def _send(queries: Queries) -> None:
    """A job for each line; answers when it was committed."""
    print("ready", flush=True)
    while sys.stdin.readline():
        await queries.enqueue("wake", b"x", 0)
        print(time.time(), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["0"])[0])))
