"""What the tests of the queue begin with: a graph, batches of it, and a worker."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tenantry import InternalReason, Principal
from tenantry.database.tables import queue_items
from tenantry.queue import Batch, BatchDatum, ClaimedItem, Enqueued, Order, Status, UnitOfWork
from tenantry.repositories.queue_counts import disagreements
from tests.integration.conftest import Mode

INTERNAL = Principal.internal(InternalReason.OPERATE)

GRAPH = {
    "id": "g",
    "nodes": {"noise": {"id": "noise", "type": "noise", "seed": 0}, "board": {"id": "board", "type": "save", "x": 1}},
    "edges": [{"source": {"node_id": "noise", "field": "noise"}, "destination": {"node_id": "board", "field": "x"}}],
}


def batch(items: int = 1, **more: Any) -> Batch:
    """A batch of as many items, with the seeds 0, 1, ..."""
    return Batch(graph=GRAPH, data=[[BatchDatum(node_path="noise", field_name="seed", items=range(items))]], **more)


async def enqueue(mode: Mode, who: Principal, items: int = 1, *, queue_id: str = "default", **more: Any) -> Enqueued:
    """Queue a batch; what the batch takes goes to it, the rest to the queue."""
    of_batch = {name: more.pop(name) for name in list(more) if name in Batch.__dataclass_fields__}
    return await mode.write(who, lambda work: work.queue.enqueue(batch(items, **of_batch), queue_id=queue_id, **more))


async def register(mode: Mode, name: str = "host", **more: Any) -> str:
    """A worker that may claim."""
    return await mode.write(INTERNAL, lambda work: work.workers.register(name, host="h", process=1, **more))


async def claim(mode: Mode, worker: str, slots: int = 1, **more: Any) -> list[ClaimedItem]:
    """Claim for so many slots."""
    given = {"devices": (None,) * slots, **more}
    return await mode.write(INTERNAL, lambda work: work.dispatch.claim(worker, **given))


async def claimed_users(mode: Mode, worker: str, slots: int = 1, *, order: Order = Order.FAIR) -> list[str]:
    """Whose items come, one claim after the other."""
    users = []
    for _ in range(slots):
        users += [item.user_id for item in await claim(mode, worker, order=order)]
    return users


async def complete(mode: Mode, *items: ClaimedItem) -> None:
    async def each(work: UnitOfWork) -> None:
        for item in items:
            await work.dispatch.complete(item.lease)

    await mode.write(INTERNAL, each)


async def statuses(mode: Mode, item_ids: Sequence[int] | None = None) -> dict[int, Status]:
    """The status of every item, or of some."""

    async def read(work: UnitOfWork) -> dict[int, Status]:
        query = sa.select(queue_items.c.item_id, queue_items.c.status).order_by(queue_items.c.item_id)
        found = {row.item_id: Status(row.status) for row in await work.ground.connection.fetch_all(query)}
        return found if item_ids is None else {item_id: found[item_id] for item_id in item_ids}

    return await mode.read(INTERNAL, read)


async def counted(mode: Mode) -> dict[Status, int]:
    """How many items there are of each status."""
    return dict(Counter((await statuses(mode)).values()))


async def assert_counts_agree(mode: Mode) -> None:
    """What is kept is what would be counted."""
    assert await mode.read(INTERNAL, lambda work: disagreements(work.ground.connection)) == []
