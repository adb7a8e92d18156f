"""A process that runs everything that waits, doing nothing for each item; for `benchmarks.queue.ours`."""

import sys
from collections.abc import Coroutine
from functools import partial
from typing import Any

from benchmarks.queue.dataset import INTERNAL, RULES
from tenantry import Studio, connect
from tenantry.queue import ClaimedItem, Completed, Lease, UnitOfWork

_SLOTS = 500


def main(url: str) -> None:
    """Claim for 500 places and acknowledge what they held, as a worker does, until nothing waits."""
    opened = connect(url)
    studio = Studio(opened.database, queue_rules=RULES)
    worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    print("ready", flush=True)
    sys.stdin.readline()
    while items := studio.direct.writing(INTERNAL, partial(_claim, worker)):
        lost = studio.direct.writing(INTERNAL, partial(_acknowledge, items))
        assert not lost
    print("done", flush=True)
    studio.close()


def _claim(worker: str, work: UnitOfWork) -> Coroutine[Any, Any, list[ClaimedItem]]:
    return work.dispatch.claim(worker, devices=(None,) * _SLOTS, queue_id="default")


def _acknowledge(items: list[ClaimedItem], work: UnitOfWork) -> Coroutine[Any, Any, list[Lease]]:
    return work.dispatch.acknowledge([Completed(lease=item.lease) for item in items])


if __name__ == "__main__":
    main(sys.argv[1])
