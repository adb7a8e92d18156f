"""Everybody at once: claims, acknowledgements, cancellations and batches never stand in each other's way."""

import asyncio
import random
from contextlib import suppress

from tenantry import Principal, Studio
from tenantry.errors import NotFound
from tenantry.queue import Acknowledgement, Completed, Failed, Status
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, assert_counts_agree, batch, counted, register


async def test_nobody_waits_in_a_circle(studio: Studio, people: People) -> None:
    """Workers, users and an administrator change the same items for a while; nothing fails, and all adds up."""
    mode = Mode(studio, "async")
    rng = random.Random(7)
    workers = [await register(mode, f"w{number}") for number in range(3)]
    users = (people.ana, people.bo, people.cy)

    async def work(worker: str) -> None:
        for _ in range(15):
            async with studio.begin(INTERNAL) as unit:
                items = await unit.dispatch.claim(worker, devices=(None,) * 4)
            said: list[Acknowledgement] = [
                Completed(lease=item.lease) if item.item_id % 3 else Failed(lease=item.lease, error_type="E", error_message="m")
                for item in items
            ]
            rng.shuffle(said)
            async with studio.begin(INTERNAL) as unit:
                await unit.dispatch.acknowledge(said)
                await unit.workers.beat(worker)

    async def queue(who: Principal) -> None:
        for _ in range(10):
            async with studio.begin(who) as unit:
                made = await unit.queue.enqueue(batch(6, destination="canvas"))
            # The administrator may have deleted it.
            with suppress(NotFound):
                async with studio.begin(who) as unit:
                    await unit.queue.cancel(made.item_ids[0])
            async with studio.begin(who) as unit:
                await unit.queue.retry([made.item_ids[0]])

    async def clear_up() -> None:
        for turn in range(10):
            async with studio.begin(people.root) as unit:
                await (unit.queue.cancel_queue() if turn % 2 else unit.queue.cancel_all_except_current())
            async with studio.begin(people.root) as unit:
                await (unit.queue.prune(most=10) if turn % 3 else unit.queue.clear())

    await asyncio.gather(*(work(worker) for worker in workers), *(queue(who) for who in users), clear_up())
    await assert_counts_agree(mode)
    assert Status.WAITING not in await counted(mode)
