"""A process that runs everything that waits, doing nothing for each item; for `benchmarks.queue.ours`."""

import sys

from benchmarks.queue.dataset import INTERNAL, RULES
from tenantry import Studio, connect
from tenantry.queue import ClaimedItem, Completed, UnitOfWork

_SLOTS = 500


def main(url: str) -> None:
    """Acknowledge what its 500 places held and claim for them anew, in one transaction, until nothing waits."""
    opened = connect(url)
    studio = Studio(opened.database, queue_rules=RULES)
    worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    print("ready", flush=True)
    sys.stdin.readline()
    done: list[Completed] = []

    async def exchange(work: UnitOfWork) -> list[ClaimedItem]:
        lost, items = await work.dispatch.exchange(worker, done, devices=(None,) * _SLOTS, queue_id="default")
        assert not lost
        return items

    while items := studio.direct.writing(INTERNAL, exchange):
        done = [Completed(lease=item.lease) for item in items]
    print("done", flush=True)
    studio.close()


if __name__ == "__main__":
    main(sys.argv[1])
