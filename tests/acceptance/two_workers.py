"""A program of one's own: two workers of four places each in one process, `python -m tests.acceptance.two_workers`."""

import asyncio
import os

import tenantry
from tenantry.queue import QueueRules, Worker
from tests.acceptance.handlers import at_once

LEASE = 30
"""Long enough for a machine that is busy with several of these."""


async def main() -> None:
    database, rules = os.environ["TENANTRY_DATABASE"], QueueRules(lease=LEASE)
    async with tenantry.open(database, migrate=False, queue_rules=rules) as studio, asyncio.TaskGroup() as both:
        for name in ("one", "other"):
            both.create_task(Worker(studio, at_once, concurrency=4, name=f"{name} of {os.getpid()}").run())


if __name__ == "__main__":
    asyncio.run(main())
