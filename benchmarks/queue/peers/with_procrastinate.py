"""Works with procrastinate, one duty a process; run with an interpreter that has it: URL, duty, number."""

import asyncio
import logging
import sys
import time

import procrastinate

_PAYLOAD = "x" * 1024


async def main(url: str, duty: str, number: int) -> None:
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="noop", queue="noop")
    async def noop(payload: str) -> None:
        return None

    async with app.open_async():
        match duty:
            case "install":
                await app.schema_manager.apply_schema_async()
            case "bulk":
                begun = time.perf_counter()
                for _ in range(number // 1_000):
                    await noop.configure(queue="bulk").batch_defer_async(*({"payload": _PAYLOAD} for _ in range(1_000)))
                print(time.perf_counter() - begun)
            case "fill":
                await noop.batch_defer_async(*({"payload": _PAYLOAD} for _ in range(number)))
            case "left":
                print(len(list(await app.job_manager.list_jobs_async(queue="noop", status="todo"))))
            case "drain":
                print("ready", flush=True)
                sys.stdin.readline()
                await app.run_worker_async(queues=["noop"], wait=False, concurrency=100, install_signal_handlers=False)
                print("done", flush=True)
            case _:
                await _wake_up(app, duty, number)


async def _wake_up(app: procrastinate.App, duty: str, number: int) -> None:
    """Work and print when each job begins, until so many have; or send a job for each line, and print when it was committed."""
    told = 0
    enough = asyncio.Event()

    @app.task(name="wake", queue="wake")
    async def wake() -> None:
        nonlocal told
        told += 1
        print(time.time(), flush=True)
        if told == number:
            enough.set()

    if duty == "send":
        print("ready", flush=True)
        while sys.stdin.readline():
            await wake.defer_async()
            print(time.time(), flush=True)
        return
    running = asyncio.create_task(app.run_worker_async(queues=["wake"], install_signal_handlers=False))
    await asyncio.sleep(1)
    print("waits", flush=True)
    await enough.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


asyncio.run(main(sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["0"])[0])))
