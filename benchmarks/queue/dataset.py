"""A queue in use: some items of fifty users wait, and many have ended."""

import random
from datetime import UTC, datetime

import sqlalchemy as sa

from tenantry import InternalReason, Principal, Studio
from tenantry.database import timestamp
from tenantry.database.tables import queue_items, users
from tenantry.queue import Batch, BatchDatum, QueueRules, UnitOfWork
from tenantry.repositories.queue_counts import recount

__all__ = ["INTERNAL", "RULES", "USERS", "add_history", "batch", "finish_all", "make_users"]

INTERNAL = Principal.internal(InternalReason.OPERATE)
USERS = [Principal(f"00000000-0000-4000-8000-{number:012d}") for number in range(50)]
RULES = QueueRules(max_pending=None, lease=86_400)
"""Without a limit; a worker that gives no sign of life keeps what it holds."""

_STEP = 50_000
_THEN = timestamp(datetime(2026, 11, 1, tzinfo=UTC))
_NODES = {
    f"node_{number}": {"id": f"node_{number}", "type": "denoise_latents", "steps": 30, "seed": 0, "text": "x" * 400}
    for number in range(19)
}
_random = random.Random(2026)


def batch(items: int, *, kilobytes: int = 0) -> Batch:
    """A batch of a graph of 19 nodes and 9 KB, with one value an item: a seed, or a text of so many KB."""
    seeds = [_random.getrandbits(31) if not kilobytes else f"{number:08d}" * 128 * kilobytes for number in range(items)]
    datum = BatchDatum(node_path="node_3", field_name="seed", items=seeds)
    return Batch(graph={"nodes": _NODES, "edges": []}, data=[[datum]], destination="gallery")


def make_users(studio: Studio) -> None:
    """Fifty users."""
    studio.direct.writing(INTERNAL, _add_users)


def add_history(studio: Studio, items: int) -> None:
    """So many finished items, of all users alike."""
    for done in range(0, items, _STEP):
        each, more = divmod(min(_STEP, items - done), len(USERS))
        for place, who in enumerate(USERS):
            if share := each + (place < more):
                request = batch(share)
                _enqueue(studio, who, request)
        finish_all(studio)


def _enqueue(studio: Studio, who: Principal, request: Batch) -> None:
    studio.direct.writing(who, lambda work: work.queue.enqueue(request))


def finish_all(studio: Studio) -> None:
    """Let everything that waits have ended, as if it had run."""
    studio.direct.writing(INTERNAL, _finish)


async def _add_users(work: UnitOfWork) -> None:
    rows = [
        {"user_id": who.user_id, "email": f"{who.user_id}@example.com", "created_at": _THEN, "updated_at": _THEN}
        for who in USERS
    ]
    await work.ground.connection.execute_many(sa.insert(users), rows)


async def _finish(work: UnitOfWork) -> None:
    ended = {"status": "completed", "started_at": _THEN, "completed_at": _THEN}
    await work.ground.connection.execute(sa.update(queue_items).where(queue_items.c.status == "pending").values(ended))
    await recount(work.ground.connection)
