"""Fairness in figures: one user queues a thousand items, then nine users ten each."""

from rich.console import Console

from benchmarks.queue.dataset import INTERNAL, RULES, USERS, batch, make_users
from tenantry import Studio, connect

__all__ = ["report_fairness"]

LIMIT = 100
"""By which claim all ninety are served."""


def report_fairness(name: str, url: str) -> None:
    """Print by which claim the ninety are served; a queue without turns serves them from the 1,001st on."""
    opened = connect(url, migrate=True)
    studio = Studio(opened.database, queue_rules=RULES)
    make_users(studio)
    studio.direct.writing(USERS[0], lambda work: work.queue.enqueue(batch(1_000)))
    for who in USERS[1:10]:
        studio.direct.writing(who, lambda work: work.queue.enqueue(batch(10)))
    worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    items = studio.direct.writing(INTERNAL, lambda work: work.dispatch.claim(worker, devices=(None,) * 200))
    last = max((item.claim_number for item in items if item.user_id != USERS[0].user_id), default=0)
    served = sum(item.user_id != USERS[0].user_id for item in items)
    studio.close()
    within = "yes" if served == 90 and last <= LIMIT else "NO"
    Console(width=140).print(
        f"{name}: {served} of the 90 items of nine users are served within the first {last} claims "
        f"(limit {LIMIT}: {within}; the peers serve them by their age, as number 1,001 to 1,090)"
    )
