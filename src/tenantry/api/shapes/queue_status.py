"""How the queue goes, over the wire."""

from dataclasses import asdict

from pydantic import BaseModel, Field

from tenantry import queue
from tenantry.queue import Counts, QueueStatus

__all__ = [
    "BatchStatus",
    "ItemCounts",
    "SessionProcessorStatus",
    "SessionQueueAndProcessorStatus",
    "SessionQueueCountsByDestination",
    "SessionQueueStatus",
]


class ItemCounts(BaseModel):
    """How many items have each status."""

    pending: int
    in_progress: int
    waiting: int = Field(description="Those that have called another workflow.")
    completed: int
    failed: int
    canceled: int
    total: int


class SessionQueueStatus(ItemCounts):
    """A queue: everybody's items, and which of those that run is shown, if it is one's own."""

    queue_id: str
    item_id: int | None
    batch_id: str | None
    session_id: str | None
    user_pending: int = Field(description="One's own.")
    user_in_progress: int = Field(description="One's own.")

    @classmethod
    def of(cls, status: QueueStatus) -> "SessionQueueStatus":
        current = status.current if status.current is not None and not status.current.is_redacted else None
        return cls(
            **counted(status.everybody),
            queue_id=status.queue_id,
            item_id=current and current.item_id,
            batch_id=current and current.batch_id,
            session_id=current and current.session_id,
            user_pending=status.own.pending,
            user_in_progress=status.own.in_progress,
        )


class SessionProcessorStatus(BaseModel):
    """Whether a queue gives out items, and whether some run."""

    is_started: bool = Field(description="False while the queue is paused.")
    is_processing: bool

    @classmethod
    def of(cls, status: QueueStatus) -> "SessionProcessorStatus":
        return cls(is_started=not status.paused, is_processing=status.everybody.in_progress > 0)


class SessionQueueAndProcessorStatus(BaseModel):
    """A queue, and whether it runs."""

    queue: SessionQueueStatus
    processor: SessionProcessorStatus


class BatchStatus(ItemCounts):
    """A batch and its items."""

    queue_id: str
    batch_id: str
    origin: str | None
    destination: str | None

    @classmethod
    def of(cls, status: queue.BatchStatus) -> "BatchStatus":
        return cls(
            **counted(status.counts),
            queue_id=status.queue_id,
            batch_id=status.batch_id,
            origin=status.origin,
            destination=status.destination,
        )


class SessionQueueCountsByDestination(ItemCounts):
    """The items for a destination."""

    queue_id: str
    destination: str

    @classmethod
    def of(cls, queue_id: str, destination: str, counts: Counts) -> "SessionQueueCountsByDestination":
        return cls(**counted(counts), queue_id=queue_id, destination=destination)


def counted(counts: Counts) -> dict[str, int]:
    """Counts with their sum, by the names that they have over the wire."""
    return {**asdict(counts), "total": counts.total}
