"""What happens in the queue, as the unit of work records it."""

from dataclasses import dataclass

from tenantry.queue.states import Status
from tenantry.repositories.changes import Change

__all__ = [
    "BatchEnqueued",
    "ItemChanged",
    "ItemsCanceled",
    "ItemsDeleted",
    "ItemsRetried",
    "QueueCleared",
    "QueuePaused",
    "UserPaused",
    "makes_work",
]


@dataclass(frozen=True, slots=True)
class BatchEnqueued(Change):
    """A batch came; `enqueued` of its `requested` items wait now."""

    queue_id: str
    batch_id: str
    enqueued: int
    requested: int
    priority: int
    origin: str | None


@dataclass(frozen=True, slots=True)
class ItemChanged(Change):
    """One item went from one status to another, or, in InvokeAI's mode, to the same again. `before` is None for a new one."""

    queue_id: str
    item_id: int
    batch_key: int
    before: Status | None
    after: Status
    status_sequence: int


@dataclass(frozen=True, slots=True)
class ItemsCanceled(Change):
    """Items of one user were canceled together, without an `ItemChanged` each."""

    queue_id: str
    item_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ItemsDeleted(Change):
    """Items of one user are gone."""

    queue_id: str
    item_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ItemsRetried(Change):
    """Items of one user were queued again, each by a new one at the same place of `new_item_ids`."""

    queue_id: str
    item_ids: tuple[int, ...]
    new_item_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QueueCleared(Change):
    """All of a user's items in a queue are gone; of everybody's, where `everybody` is set. `user_id` did it."""

    queue_id: str
    everybody: bool


@dataclass(frozen=True, slots=True)
class QueuePaused(Change):
    """`user_id` stopped a queue from giving out items, or let it go on."""

    queue_id: str
    paused: bool


@dataclass(frozen=True, slots=True)
class UserPaused(Change):
    """A user's items were stopped from being given out, or let go on."""

    paused: bool


def makes_work(change: Change) -> bool:
    """Whether a worker that found nothing to do may find something after this change."""
    match change:
        case BatchEnqueued() | ItemsRetried():
            return True
        case ItemChanged():
            # An end may let the next of a user begin who was at a limit.
            return change.after is not Status.IN_PROGRESS
        case QueuePaused() | UserPaused():
            return not change.paused
    return False
