"""A worker that tells when each item begins; for `benchmarks.queue.postgres`."""

import asyncio
import sys
import time

import tenantry
from tenantry.queue import Job, Worker


async def main(url: str, items: int) -> None:
    """Run so many items; the first line says that it waits, the others when each began, in seconds."""
    async with tenantry.open(url) as studio:
        begun = 0

        async def tell(job: Job) -> None:
            nonlocal begun
            begun += 1
            print(time.time(), flush=True)
            if begun == items:
                worker.drain()

        worker = Worker(studio, tell, poll=600.0)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(1.0)
        print("waits", flush=True)
        await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
