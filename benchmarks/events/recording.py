"""What it costs a state change to record its event on SQLite."""

import statistics
import tempfile
import time
from contextlib import nullcontext
from unittest.mock import patch

from benchmarks.events.table import Figure
from benchmarks.queue.dataset import INTERNAL, RULES, USERS, batch, make_users
from tenantry import Studio, connect

__all__ = ["measure_recording"]

PAIRS = 400
LIMIT = 0.15
"""Milliseconds of a state change at most."""


def measure_recording() -> list[Figure]:
    """A lifecycle has three state changes: queued, claimed, completed. Each is done in turn with and without its event."""
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder:
        # Without waiting for the disk, which takes longer than all else and never twice the same.
        opened = connect(f"sqlite:///{folder}/recording.db", synchronous="NORMAL")
        studio = Studio(opened.database, queue_rules=RULES)
        make_users(studio)
        worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
        pairs = [(_lifecycle(studio, worker, recorded=True), _lifecycle(studio, worker, recorded=False)) for _ in range(PAIRS)]
        studio.close()
    more = statistics.median(one - other for one, other in pairs) / 3 * 1_000
    without = statistics.median(other for _, other in pairs) / 3 * 1_000
    return [Figure("recording: ms more for a state change, beside all of one without", more, without, None, LIMIT, True)]


async def _nothing(_: object) -> None:
    """Stands in the place of recording."""


def _lifecycle(studio: Studio, worker: str, *, recorded: bool) -> float:
    who, request, writing = USERS[0], batch(1), studio.direct.writing
    with nullcontext() if recorded else patch("tenantry.studio.record", _nothing):
        begun = time.perf_counter()
        writing(who, lambda work: work.queue.enqueue(request))
        (item,) = writing(INTERNAL, lambda work: work.dispatch.claim(worker))
        writing(INTERNAL, lambda work: work.dispatch.complete(item.lease))
        return time.perf_counter() - begun
