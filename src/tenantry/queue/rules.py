"""How a queue behaves in one process."""

from dataclasses import dataclass

from tenantry.settings import Settings

__all__ = ["QueueRules"]


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Limits and times; what concerns one queue or user alone is kept in the database and changed while running."""

    max_pending: int | None = 10_000
    """Items of a queue that may wait at most, where the queue has no limit of its own."""

    max_batch_items: int = 100_000
    max_document_bytes: int = 16 * 1024 * 1024
    """Bytes of a graph, a workflow or a session at most."""

    max_attempts: int = 3
    """How often an item is claimed at most whose worker is lost each time."""

    lease: float = 30.0
    """Seconds that a worker holds its items after its last beat."""

    backoff: float = 5.0
    """Seconds that an item waits after its worker was lost; doubled each time, ten minutes at most."""

    @classmethod
    def of(cls, settings: Settings) -> "QueueRules":
        """The rules that the settings give."""
        return cls(
            max_pending=settings.queue_max_pending or None,
            max_batch_items=settings.queue_max_batch_items,
            max_document_bytes=settings.queue_max_document_bytes,
            max_attempts=settings.queue_max_attempts,
            lease=settings.queue_lease,
            backoff=settings.queue_backoff,
        )

    def wait_after(self, attempt: int) -> float:
        """Seconds until an item that was lost `attempt` times is given out again."""
        return float(min(self.backoff * 2 ** (attempt - 1), 600.0))
