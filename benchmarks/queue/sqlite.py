"""The queue's operations on SQLite, in the direct mode with durable commits, with little and with much history."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.queue.dataset import INTERNAL, RULES, USERS, add_history, batch, make_users
from tenantry import Studio, connect
from tenantry.queue import Enqueued, Order

__all__ = ["report_sqlite"]

WAITING = 5_000
GROWTH = 1.5
"""How many times slower an operation may be with the larger history."""


@dataclass(frozen=True, slots=True)
class Row:
    """An operation: InvokeAI's figure on a comparable machine, where known, and the limit; in milliseconds unless named."""

    name: str
    invokeai: float | None
    limit: float
    measure: Callable[["Queue"], float]
    more_is_better: bool = False


class Queue:
    """A queue on a file of its own, and one worker."""

    def __init__(self, folder: Path, finished: int) -> None:
        self.path = folder / f"queue-{finished}.db"
        opened = connect(f"sqlite:///{self.path}")
        self.studio = Studio(opened.database, queue_rules=RULES)
        make_users(self.studio)
        add_history(self.studio, finished)
        for who in USERS:
            self.enqueue(who.user_id, WAITING // len(USERS))
        self.worker = self.studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))

    def enqueue(self, user_id: str, items: int) -> Enqueued:
        who = next(each for each in USERS if each.user_id == user_id)
        request = batch(items)
        return self.studio.direct.writing(who, lambda work: work.queue.enqueue(request))

    def cancel(self, batch_id: str) -> None:
        self.studio.direct.writing(INTERNAL, lambda work: work.queue.cancel_batches([batch_id]))

    def median(
        self, operation: Callable[[int], object], repeated: int = 100, *, after: Callable[[], object] = lambda: None
    ) -> float:
        """Milliseconds; what is done `after` each time is not counted."""
        taken = []
        for turn in range(repeated):
            begun = time.perf_counter()
            operation(turn)
            taken.append((time.perf_counter() - begun) * 1_000)
            after()
        return statistics.median(taken)

    def lifecycles(self) -> float:
        """How many items a second are queued, claimed and completed, one by one."""
        requests = [batch(1) for _ in USERS]

        def one(turn: int) -> None:
            writing, who = self.studio.direct.writing, USERS[turn % len(USERS)]
            writing(who, lambda work: work.queue.enqueue(requests[turn % len(USERS)]))
            (item,) = writing(INTERNAL, lambda work: work.dispatch.claim(self.worker))
            writing(INTERNAL, lambda work: work.dispatch.complete(item.lease))

        return 1_000 / self.median(one, 300)

    def status(self) -> float:
        return self.median(lambda turn: self.studio.direct.reading(USERS[turn % 50], lambda work: work.queue.status()))

    def claim(self, order: Order) -> float:
        return self.median(
            lambda _: self.studio.direct.writing(INTERNAL, lambda work: work.dispatch.claim(self.worker, order=order))
        )

    def item_ids(self) -> float:
        def one(turn: int) -> None:
            who = USERS[turn % 50]
            self.studio.direct.reading(who, lambda work: work.queue.item_ids(user_id=who.user_id, limit=300))

        return self.median(one)

    def enqueue_thousand(self) -> float:
        made: list[str] = []
        return self.median(
            lambda turn: made.append(self.enqueue(USERS[turn].user_id, 1_000).batch_id),
            20,
            after=lambda: self.cancel(made.pop()),
        )

    def cancel_thousand(self) -> float:
        def enqueue() -> None:
            made.append(self.enqueue(USERS[0].user_id, 1_000).batch_id)

        made: list[str] = []
        enqueue()
        return self.median(lambda _: self.cancel(made.pop()), 20, after=enqueue)

    def prune(self) -> float:
        """Ten thousand items that have ended."""
        for turn in range(20):
            self.enqueue(USERS[turn].user_id, 1_000)
        self.studio.direct.writing(INTERNAL, lambda work: work.queue.cancel_queue())
        return self.median(lambda _: self.studio.direct.writing(INTERNAL, lambda work: work.queue.prune(most=10_000)), 3)

    def bytes_an_item(self) -> float:
        """How much the file grows by fifty batches of a thousand."""
        before = self._size()
        for who in USERS:
            self.enqueue(who.user_id, 1_000)
        return (self._size() - before) / 50_000

    def _size(self) -> int:
        """The file's size without the pages that are free for reuse."""
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        connection.close()
        return int((pages - free) * size)


# In this order, because the last two leave more behind than 5,000 items that wait.
ROWS = [
    Row("lifecycles a second", 12, 400, Queue.lifecycles, more_is_better=True),
    Row("queue status", 21, 0.5, Queue.status),
    Row("claim, by turns as InvokeAI", 36, 1.0, lambda queue: queue.claim(Order.ROUND_ROBIN)),
    Row("claim, by fair turns", 36, 1.0, lambda queue: queue.claim(Order.FAIR)),
    Row("item ids of a user, newest 300", None, 1.0, Queue.item_ids),
    Row("enqueue 1,000", 345, 25, Queue.enqueue_thousand),
    Row("cancel 1,000", 140, 15, Queue.cancel_thousand),
    Row("bytes an item", 10_666, 400, Queue.bytes_an_item),
    Row("prune 10,000", 1_150, 100, Queue.prune),
]


def report_sqlite(*finished: int) -> None:
    """Print every operation for each number of finished items, and how much the last is slower than the first."""
    figures: dict[str, list[float]] = {row.name: [] for row in ROWS}
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder:
        for number in sorted(set(finished)):
            queue = Queue(Path(folder), number)
            for row in ROWS:
                figures[row.name].append(row.measure(queue))
            queue.studio.close()
    columns = [
        "operation (ms)",
        *(f"{number:,} finished" for number in sorted(set(finished))),
        "growth",
        "InvokeAI",
        "limit",
        "within",
    ]
    table = Table(*columns, title="Queue on SQLite: 5,000 items of 50 users wait, direct mode, durable commits")
    for row in ROWS:
        found = figures[row.name]
        growth = found[0] / found[-1] if row.more_is_better else found[-1] / found[0]
        holds = all(figure >= row.limit if row.more_is_better else figure <= row.limit for figure in found)
        shown = [f"{figure:,.2f}" for figure in found]
        known = "" if row.invokeai is None else f"{row.invokeai:,.0f}"
        within = "yes" if holds and growth <= GROWTH else "NO"
        table.add_row(row.name, *shown, f"{growth:.2f}", known, f"{row.limit:g}", within)
    Console(width=140).print(table)
