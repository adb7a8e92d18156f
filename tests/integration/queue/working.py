"""Workers in the test's own process, with leases that are short, and what became of what they were given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tenantry import Principal, Studio
from tenantry.queue import QueueItemDetail, QueueRules, Status, Worker
from tenantry.queue.jobs import Handler
from tests.integration.conftest import Mode
from tests.integration.queue.scene import INTERNAL, batch, statuses

RULES = QueueRules(lease=1.5, backoff=0)


@asynccontextmanager
async def working(studio: Studio, handler: Handler, **more: Any) -> AsyncIterator[Worker]:
    """A worker that runs as long as the block does."""
    worker = Worker(studio, handler, **{"poll": 0.05, "grace": 5.0, **more})
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def enqueue(studio: Studio, who: Principal, items: int = 1) -> tuple[int, ...]:
    async with studio.begin(who) as work:
        return (await work.queue.enqueue(batch(items))).item_ids


async def all_are(studio: Studio, status: Status) -> bool:
    return set((await statuses(Mode(studio, "async"))).values()) == {status}


async def nothing_left(studio: Studio) -> bool:
    """Whether every item has ended."""
    return not {Status.PENDING, Status.IN_PROGRESS} & set((await statuses(Mode(studio, "async"))).values())


async def detail(studio: Studio, item_id: int) -> QueueItemDetail:
    async with studio.read(INTERNAL) as work:
        return await work.queue.get(item_id)
