"""Queue a batch and follow it until it is done.

tenantry serve
tenantry worker examples.worker:name_nodes
python examples/follow_queue.py ana@example.com
"""

import asyncio
import sys
from getpass import getpass

import tenantry
from tenantry.events import queue, running, stream
from tenantry.queue import Batch

DATABASE, URL = "sqlite:///tenantry.db", "http://127.0.0.1:9100"
GRAPH = {"nodes": {"noise": {"id": "noise"}, "latents": {"id": "latents"}}, "edges": []}


async def follow(email: str, password: str, database: str = DATABASE, url: str = URL) -> None:
    """Print what becomes of three items."""
    async with tenantry.open(database) as studio:
        token = await studio.accounts.sign_in(email, password)
        me = await studio.accounts.identify(token)
        async with stream(url, token) as events:  # connected first, so that nothing of the batch is missed
            async with studio.begin(me) as work:
                batch = await work.queue.enqueue(Batch(graph=GRAPH, runs=3))
            async for event in events:
                if isinstance(event, running.QueueItemProgress):
                    print(f"item {event.item_id}: {event.fraction:.0%}, {event.message}")
                    continue
                if isinstance(event, queue.QueueItemStatusChanged):
                    print(f"item {event.item_id} is {event.status}")
                # Events say when to look, whatever happened; how things stand is read.
                async with studio.read(me) as work:
                    counts = (await work.queue.batch_status(batch.batch_id)).counts
                if counts.finished == counts.total:
                    print(f"done: {counts.completed} of {counts.total} completed")
                    break


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], getpass()))
