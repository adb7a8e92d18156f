"""What a unit of work offers of the queue, by who uses it."""

from tenantry.queue.acknowledgements import Acknowledgements
from tenantry.queue.bulk import Bulk
from tenantry.queue.calls import Calls
from tenantry.queue.claims import Claims
from tenantry.queue.compatibility import Compatibility
from tenantry.queue.control import Control
from tenantry.queue.enqueueing import Enqueueing
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


class Workers(Leases):
    """The workers and their leases."""

    __slots__ = ()


class QueueAdministration(QueueLimits, Retention, Statistics):
    """Limits, history and statistics."""

    __slots__ = ()
