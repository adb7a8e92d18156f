"""The fair queue: batches, claims by turns, leases, limits, and workers."""

from tenantry.queue.acknowledgements import Acknowledgement, Canceled, Completed, Failed, Released, Suspended
from tenantry.queue.base import ALL_QUEUES, DEFAULT_QUEUE
from tenantry.queue.batches import Batch, BatchDatum
from tenantry.queue.bulk import Touched
from tenantry.queue.calls import WorkflowCall
from tenantry.queue.enqueueing import Enqueued
from tenantry.queue.fairness import Order
from tenantry.queue.items import ClaimedItem, Lease, QueueItem, QueueItemDetail
from tenantry.queue.jobs import CancellationToken, Job, JobProgress, RetryLater, Stopped
from tenantry.queue.leases import Beat, RegisteredWorker
from tenantry.queue.limits import Limits, UserLimits
from tenantry.queue.lists import ItemFilter
from tenantry.queue.positions import Position
from tenantry.queue.queue import Dispatch, Queue, QueueAdministration, Workers
from tenantry.queue.rules import QueueRules
from tenantry.queue.states import Status
from tenantry.queue.statistics import QueueStatistics, UserStatistics
from tenantry.queue.status import BatchStatus, Counts, QueueStatus
from tenantry.queue.steering import QueueSettings
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.queue.worker import Worker

__all__ = [
    "ALL_QUEUES",
    "DEFAULT_QUEUE",
    "Acknowledgement",
    "Batch",
    "BatchDatum",
    "BatchStatus",
    "Beat",
    "Canceled",
    "CancellationToken",
    "ClaimedItem",
    "Completed",
    "Counts",
    "Dispatch",
    "Enqueued",
    "Failed",
    "ItemFilter",
    "Job",
    "JobProgress",
    "Lease",
    "Limits",
    "Order",
    "Position",
    "Queue",
    "QueueAdministration",
    "QueueItem",
    "QueueItemDetail",
    "QueueRules",
    "QueueSettings",
    "QueueStatistics",
    "QueueStatus",
    "RegisteredWorker",
    "Released",
    "RetryLater",
    "Status",
    "Stopped",
    "Suspended",
    "Touched",
    "UnitOfWork",
    "UserLimits",
    "UserStatistics",
    "Worker",
    "Workers",
    "WorkflowCall",
]
