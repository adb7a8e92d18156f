"""What a unit of work offers of the queue, by who uses it."""

from collections.abc import Sequence

from tenantry.queue.acknowledgements import Acknowledgement, Acknowledgements
from tenantry.queue.bulk import Bulk
from tenantry.queue.calls import Calls
from tenantry.queue.candidates import ResidentModels
from tenantry.queue.claims import Claims
from tenantry.queue.compatibility import Compatibility
from tenantry.queue.control import Control
from tenantry.queue.enqueueing import Enqueueing
from tenantry.queue.fairness import Order
from tenantry.queue.items import ClaimedItem, Lease
from tenantry.queue.leases import Leases
from tenantry.queue.limits import QueueLimits
from tenantry.queue.positions import Positions
from tenantry.queue.retention import Retention
from tenantry.queue.retries import Retries
from tenantry.queue.statistics import Statistics
from tenantry.queue.status import StatusReads

__all__ = ["Dispatch", "Queue", "QueueAdministration", "Workers"]


class Queue(Enqueueing, Control, Bulk, Retries, StatusReads, Positions):
    """The queue as its users see it: put batches in, look, cancel, retry, delete."""

    __slots__ = ()


class Dispatch(Claims, Acknowledgements, Calls, Compatibility):
    """The queue as workers see it: claim items, and say what became of them."""

    __slots__ = ()

    async def exchange(
        self,
        worker_id: str,
        acknowledgements: Sequence[Acknowledgement],
        *,
        devices: Sequence[str | None],
        queue_id: str | None = None,
        order: Order = Order.FAIR,
        resident_models: ResidentModels | None = None,
    ) -> tuple[list[Lease], list[ClaimedItem]]:
        """`acknowledge`, then `claim` for the places that have become free; answers the leases that were lost, and the items.

        The scheduling lock comes first: two that held counts of what they acknowledged while they wait for it would wait for
        each other in a circle. Raises what `claim` raises; nothing is acknowledged then.
        """
        self._only_privileged("claim items of the queue")
        await self._lock()
        lost = await self.acknowledge(acknowledgements)
        claimed = await self.claim(worker_id, devices=devices, queue_id=queue_id, order=order, resident_models=resident_models)
        return lost, claimed


class Workers(Leases):
    """The workers and their leases."""

    __slots__ = ()


class QueueAdministration(QueueLimits, Retention, Statistics):
    """Limits, history and statistics."""

    __slots__ = ()
