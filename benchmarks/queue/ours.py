"""Our queue's rates on PostgreSQL, with as many finished items as wanted."""

import sys
import time

import psycopg

from benchmarks.queue.dataset import INTERNAL, RULES, USERS, add_history, batch, finish_all, make_users
from benchmarks.queue.processes import drain_seconds, wake_up
from tenantry import Principal, Studio, connect
from tenantry.queue import Batch

__all__ = ["BULK", "CLAIMS", "DRAINED", "ROWS", "WAKEUPS", "measure_ours"]

BULK, DRAINED, WAKEUPS, CLAIMS = 20_000, 5_000, 30, 300
ROWS = ("bulk enqueue", "drain, one worker", "drain, two workers", "claims, one by one", "wake-up, p50 in ms")


def measure_ours(url: str, history: int) -> dict[str, float]:
    """Rates a second and the wake-up in milliseconds, in an empty database after so many finished items."""
    opened = connect(url, migrate=True)
    studio = Studio(opened.database, queue_rules=RULES)
    make_users(studio)
    add_history(studio, history)
    if history:
        # What the server does by itself after a while, and not in the middle of the measurement.
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    enqueued = _bulk_enqueue(studio)
    finish_all(studio)
    draining = [sys.executable, "-m", "benchmarks.queue.draining", url]
    drained = []
    for processes in (1, 2):
        _fill(studio)
        drained.append(DRAINED / drain_seconds(draining, processes))
    _fill(studio)
    claimed = _claims(studio)
    finish_all(studio)
    waking = [sys.executable, "-m", "benchmarks.queue.waking", url, str(WAKEUPS)]
    woken = wake_up(waking, lambda turn: _send(studio, turn), WAKEUPS)
    studio.close()
    return dict(zip(ROWS, (enqueued, *drained, claimed, woken), strict=True))


def _fill(studio: Studio) -> None:
    for who in USERS:
        _enqueue(studio, who, batch(DRAINED // len(USERS)))


def _bulk_enqueue(studio: Studio) -> float:
    """Batches of a thousand, of one user after the other."""
    requests = [batch(1_000, kilobytes=1) for _ in range(BULK // 1_000)]
    begun = time.perf_counter()
    for turn, request in enumerate(requests):
        _enqueue(studio, USERS[turn % 50], request)
    return BULK / (time.perf_counter() - begun)


def _claims(studio: Studio) -> float:
    worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    begun = time.perf_counter()
    for _ in range(CLAIMS):
        studio.direct.writing(INTERNAL, lambda work: work.dispatch.claim(worker, queue_id="default"))
    return CLAIMS / (time.perf_counter() - begun)


def _send(studio: Studio, turn: int) -> float:
    """Queue an item; answers when it was committed."""
    _enqueue(studio, USERS[turn % 50], batch(1))
    return time.time()


def _enqueue(studio: Studio, who: Principal, request: Batch) -> None:
    studio.direct.writing(who, lambda work: work.queue.enqueue(request))
