"""Measures procrastinate; run with an interpreter that has it: URL, jobs to enqueue, jobs to drain, wake-ups."""

import asyncio
import json
import sys
import time

import procrastinate


async def main(url: str, bulk: int, drained: int, wakeups: int) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    done = 0
    begins: asyncio.Queue[float] = asyncio.Queue()

    @app.task(name="noop", queue="noop")
    async def noop(payload: str) -> None:
        nonlocal done
        done += 1

    @app.task(name="wake", queue="wake")
    async def wake() -> None:
        begins.put_nowait(time.time())

    @app.task(name="bulk", queue="bulk")
    async def bulked(payload: str) -> None:
        return None

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        begun = time.perf_counter()
        for _ in range(bulk // 1_000):
            await bulked.batch_defer_async(*({"payload": "x" * 1024} for _ in range(1_000)))
        found = {"bulk enqueue": bulk / (time.perf_counter() - begun)}
        await noop.batch_defer_async(*({"payload": "x"} for _ in range(drained)))
        begun = time.perf_counter()
        await app.run_worker_async(queues=["noop"], wait=False, concurrency=100, install_signal_handlers=False)
        found["drain, one worker"] = drained / (time.perf_counter() - begun)
        running = asyncio.create_task(app.run_worker_async(queues=["wake"], install_signal_handlers=False))
        await asyncio.sleep(1)
        taken = []
        for _ in range(wakeups):
            await asyncio.sleep(0.05)
            await wake.defer_async()
            committed = time.time()
            taken.append((await begins.get() - committed) * 1_000)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        found["wake-up, p50 in ms"] = sorted(taken)[wakeups // 2]
    assert done == drained
    print(json.dumps(found))


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
