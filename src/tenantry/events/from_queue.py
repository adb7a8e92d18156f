"""The queue's stored events as they are delivered."""

from collections.abc import Iterator

from tenantry.events.audience import Form, Reach, forms_of
from tenantry.events.known import Known, Told
from tenantry.events.types import Event, queue
from tenantry.queue.facts import ItemFacts, QueueNow
from tenantry.queue.states import FINAL, Status
from tenantry.queue.status import Counts

__all__ = ["TELLING"]

_NONE = Counts()


def _item_changed(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    """One for each item; nothing for an item that is gone by now, of which another event tells."""
    for item_id, sequence in event.body["items"]:
        item = known.items.get(item_id)
        yield () if item is None else _forms(event, _status_changed(event, known, item, sequence))


def _status_changed(event: Told, known: Known, item: ItemFacts, sequence: int) -> queue.QueueItemStatusChanged:
    status = Status(event.body["after"])
    # Once the item has gone on, what it says of itself is of a later change.
    is_latest = item.status_sequence == sequence
    ended_at = item.completed_at if is_latest else event.created_at
    return queue.QueueItemStatusChanged(
        timestamp=event.timestamp,
        queue_id=item.queue_id,
        item_id=item.item_id,
        batch_id=item.batch_id,
        origin=item.origin,
        destination=item.destination,
        user_id=event.user_id,
        session_id=item.session_id,
        status=status,
        status_sequence=sequence,
        error_type=item.error_type if is_latest else None,
        error_message=item.error_message if is_latest else None,
        error_traceback=item.error_traceback if is_latest else None,
        created_at=item.created_at,
        updated_at=item.updated_at if is_latest else event.created_at,
        started_at=event.created_at if status is Status.IN_PROGRESS and not is_latest else item.started_at,
        completed_at=ended_at if status in FINAL else None,
        batch_status=_batch_status(item, known.batches.get(item.batch_id, _NONE)),
        queue_status=_queue_status(item.queue_id, event.user_id, known.queues[event.body["queue_id"]]),
    )


def _batch_status(item: ItemFacts, counts: Counts) -> queue.BatchStatus:
    return queue.BatchStatus(
        queue_id=item.queue_id,
        batch_id=item.batch_id,
        origin=item.origin,
        destination=item.destination,
        **_numbers(counts),
    )


def _queue_status(queue_id: str, user_id: str, now: QueueNow) -> queue.QueueStatus:
    """As its owner may see it: what runs is named only where it is theirs (contract, section 3)."""
    own = now.by_user.get(user_id, _NONE)
    running = now.running if now.running is not None and now.running.user_id == user_id else None
    return queue.QueueStatus(
        queue_id=queue_id,
        item_id=running and running.item_id,
        batch_id=running and running.batch_id,
        session_id=running and running.session_id,
        user_pending=own.pending,
        user_in_progress=own.in_progress,
        **_numbers(now.everybody),
    )


def _numbers(counts: Counts) -> dict[str, int]:
    names = ("pending", "in_progress", "waiting", "completed", "failed", "canceled", "total")
    return {name: getattr(counts, name) for name in names}


def _batch_enqueued(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    yield _forms(event, queue.BatchEnqueued(timestamp=event.timestamp, user_id=event.user_id, **event.body))


def _items_retried(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    ids = event.body["item_ids"]
    retried = queue.QueueItemsRetried(
        timestamp=event.timestamp,
        queue_id=event.body["queue_id"],
        retried_item_ids=ids,
        user_ids=[event.user_id],
        retried_item_ids_by_user={event.user_id: ids},
    )
    yield _forms(event, retried)


def _items_canceled(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    ids = event.body["item_ids"]
    canceled = queue.QueueItemsCanceled(
        timestamp=event.timestamp,
        queue_id=event.body["queue_id"],
        canceled_item_ids=ids,
        user_ids=[event.user_id],
        canceled_item_ids_by_user={event.user_id: ids},
    )
    yield _forms(event, canceled)


def _items_deleted(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    queue_id, ids = event.body["queue_id"], event.body["item_ids"]
    deleted = queue.QueueItemsDeleted(timestamp=event.timestamp, queue_id=queue_id, deleted_item_ids=ids, user_id=event.user_id)
    yield _forms(event, deleted)


def _queue_cleared(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    whose = None if event.body["everybody"] else event.user_id
    yield _forms(event, queue.QueueCleared(timestamp=event.timestamp, queue_id=event.body["queue_id"], user_id=whose))


def _queue_paused(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    yield _forms(event, queue.QueuePaused(timestamp=event.timestamp, **event.body))


def _user_paused(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    paused = queue.UserPaused(timestamp=event.timestamp, user_id=event.user_id, paused=event.body["paused"])
    yield forms_of(paused, Reach(event.user_id))


def _forms(event: Told, as_type: Event) -> tuple[Form, ...]:
    return forms_of(as_type, Reach(event.user_id, queue_id=event.body["queue_id"]))


TELLING = {
    "ItemChanged": _item_changed,
    "BatchEnqueued": _batch_enqueued,
    "ItemsRetried": _items_retried,
    "ItemsCanceled": _items_canceled,
    "ItemsDeleted": _items_deleted,
    "QueueCleared": _queue_cleared,
    "QueuePaused": _queue_paused,
    "UserPaused": _user_paused,
}
"""How each kind of the queue's changes is told, by its name."""
