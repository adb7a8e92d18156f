"""Measures pgqueuer; run with an interpreter that has it: URL, jobs to enqueue, jobs to drain, wake-ups."""

import asyncio
import json
import sys
import time
from datetime import timedelta

import asyncpg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries


async def main(url: str, bulk: int, drained: int, wakeups: int) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    payload = b"x" * 1024
    begun = time.perf_counter()
    for _ in range(bulk // 1_000):
        await queries.enqueue(["bulk"] * 1_000, [payload] * 1_000, [0] * 1_000)
    found = {"bulk enqueue": bulk / (time.perf_counter() - begun)}
    await queries.clear_queue("bulk")
    await queries.enqueue(["noop"] * drained, [payload] * drained, [0] * drained)
    found["drain, one worker"] = drained / await _drain(url, drained)
    found["wake-up, p50 in ms"] = await _wake_up(url, queries, wakeups)
    await connection.close()
    print(json.dumps(found))


async def _drain(url: str, jobs: int) -> float:
    connection = await asyncpg.connect(url)
    queuer = PgQueuer(AsyncpgDriver(connection))
    done, finished = 0, asyncio.Event()

    @queuer.entrypoint("noop")
    async def noop(_: object) -> None:
        nonlocal done
        done += 1
        if done == jobs:
            finished.set()

    begun = time.perf_counter()
    running = asyncio.create_task(queuer.run(batch_size=500, dequeue_timeout=timedelta(seconds=1)))
    await finished.wait()
    taken = time.perf_counter() - begun
    queuer.shutdown.set()
    await running
    await connection.close()
    return taken


async def _wake_up(url: str, queries: Queries, wakeups: int) -> float:
    connection = await asyncpg.connect(url)
    queuer = PgQueuer(AsyncpgDriver(connection))
    begins: asyncio.Queue[float] = asyncio.Queue()

    @queuer.entrypoint("wake")
    async def wake(_: object) -> None:
        begins.put_nowait(time.time())

    running = asyncio.create_task(queuer.run(batch_size=10, dequeue_timeout=timedelta(seconds=30)))
    await asyncio.sleep(1)
    taken = []
    for _ in range(wakeups):
        await asyncio.sleep(0.05)
        await queries.enqueue("wake", b"x", 0)
        committed = time.time()
        taken.append((await begins.get() - committed) * 1_000)
    queuer.shutdown.set()
    await queries.enqueue("wake", b"x", 0)
    await running
    await connection.close()
    return sorted(taken)[wakeups // 2]


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
