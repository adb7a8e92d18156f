"""The queue's events, by InvokeAI's names and with its payloads (contract, section 3), and what InvokeAI has none of."""

from tenantry.events.types.base import Audience, Emptied, Event, Hidden, Others, Part, Redacted, Shown

__all__ = [
    "BatchEnqueued",
    "BatchStatus",
    "QueueCleared",
    "QueueItemStatusChanged",
    "QueueItemsCanceled",
    "QueueItemsDeleted",
    "QueueItemsRetried",
    "QueuePaused",
    "QueueStatus",
    "UserPaused",
]


class _Counts(Part):
    pending: Shown[int]
    in_progress: Shown[int]
    waiting: Shown[int]
    completed: Shown[int]
    failed: Shown[int]
    canceled: Shown[int]
    total: Shown[int]


class BatchStatus(_Counts):
    """How many of a batch's items have each status."""

    queue_id: Shown[str]
    batch_id: Redacted[str]
    origin: Hidden[str | None]
    destination: Hidden[str | None]


class QueueStatus(_Counts):
    """How many of everybody's items have each status, how many are the owner's, and the owner's item that runs."""

    queue_id: Shown[str]
    item_id: Hidden[int | None]
    batch_id: Hidden[str | None]
    session_id: Hidden[str | None]
    user_pending: Hidden[int | None]
    user_in_progress: Hidden[int | None]


class QueueItemStatusChanged(Event, name="queue_item_status_changed", audience=Audience.QUEUE, others=Others.REDACTED):
    """An item went to another status; times are UTC text, and the counts those of the moment of delivery."""

    queue_id: Shown[str]
    item_id: Shown[int]
    batch_id: Redacted[str]
    origin: Hidden[str | None]
    destination: Hidden[str | None]
    user_id: Redacted[str]
    session_id: Redacted[str]
    status: Shown[str]
    status_sequence: Shown[int]
    error_type: Hidden[str | None]
    error_message: Hidden[str | None]
    error_traceback: Hidden[str | None]
    created_at: Shown[str]
    updated_at: Shown[str]
    started_at: Shown[str | None]
    completed_at: Shown[str | None]
    batch_status: Shown[BatchStatus]
    queue_status: Shown[QueueStatus]


class BatchEnqueued(Event, name="batch_enqueued", audience=Audience.QUEUE, others=Others.REDACTED):
    """A batch came; so many of its requested items wait."""

    queue_id: Shown[str]
    batch_id: Redacted[str]
    enqueued: Shown[int]
    requested: Shown[int]
    priority: Shown[int]
    origin: Hidden[str | None]
    user_id: Redacted[str]


class QueueItemsRetried(Event, name="queue_items_retried", audience=Audience.QUEUE, others=Others.REDACTED):
    """Items were queued again, as others."""

    queue_id: Shown[str]
    retried_item_ids: Emptied[list[int]]
    user_ids: Emptied[list[str]]
    retried_item_ids_by_user: Emptied[dict[str, list[int]]]


class QueueItemsCanceled(Event, name="queue_items_canceled", audience=Audience.QUEUE, others=Others.REDACTED):
    """Items were canceled together, without an event each."""

    queue_id: Shown[str]
    canceled_item_ids: Emptied[list[int]]
    user_ids: Emptied[list[str]]
    canceled_item_ids_by_user: Emptied[dict[str, list[int]]]


class QueueItemsDeleted(Event, name="queue_items_deleted", audience=Audience.QUEUE, others=Others.REDACTED):
    """Items are gone."""

    queue_id: Shown[str]
    deleted_item_ids: Emptied[list[int]]
    user_id: Redacted[str]


class QueueCleared(Event, name="queue_cleared", audience=Audience.QUEUE, others=Others.REDACTED):
    """All items of a user are gone from a queue; of everybody, where `user_id` is None."""

    queue_id: Shown[str]
    user_id: Redacted[str | None]


class QueuePaused(Event, name="queue_paused", audience=Audience.QUEUE, others=Others.REDACTED):
    """An administrator stopped a queue (`*`: all of them) from giving out items, or let it go on."""

    queue_id: Shown[str]
    paused: Shown[bool]


class UserPaused(Event, name="user_paused", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """An administrator stopped a user's items from being given out, or let them go on."""

    user_id: str
    paused: bool
