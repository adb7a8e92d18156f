"""A process that runs everything that waits, doing nothing for each item; for `benchmarks.queue.postgres`."""

import sys

from benchmarks.queue.dataset import INTERNAL
from tenantry import Studio, connect
from tenantry.queue import ClaimedItem, Completed, QueueRules, UnitOfWork

_SLOTS = 500


def main(url: str) -> None:
    """Claim for 500 places and acknowledge what they held, each in one transaction, until nothing waits."""
    opened = connect(url)
    studio = Studio(opened.database, queue_rules=QueueRules(max_pending=None, lease=86_400))
    worker = studio.direct.writing(INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    print("ready", flush=True)
    sys.stdin.readline()

    async def claim(work: UnitOfWork) -> list[ClaimedItem]:
        return await work.dispatch.claim(worker, devices=(None,) * _SLOTS, queue_id="default")

    while items := studio.direct.writing(INTERNAL, claim):
        done = [Completed(lease=item.lease) for item in items]
        studio.direct.writing(INTERNAL, lambda work: work.dispatch.acknowledge(done))  # noqa: B023
    studio.close()


if __name__ == "__main__":
    main(sys.argv[1])
