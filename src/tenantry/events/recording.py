"""What a unit of work changed becomes events in the outbox, in the same transaction."""

import json
from collections.abc import Sequence

from tenantry.database import timestamp
from tenantry.queue.changes import ItemChanged
from tenantry.repositories.base import Ground
from tenantry.repositories.changes import Change
from tenantry.repositories.outbox import NewEvent, add_events
from tenantry.tenancy import InternalReason, Principal

__all__ = ["events_of", "record"]

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


async def record(ground: Ground) -> None:
    """Store what the unit of work has changed; the last that it does before its commit."""
    if not ground.changes:
        return
    if not ground.principal.sees_everything:
        # For good: nothing of the user's follows.
        await ground.connection.act_as(Principal.internal(InternalReason.RECORD_EVENTS).identity)
    await add_events(ground.connection, events_of(ground.changes), timestamp(ground.clock()))


def events_of(changes: Sequence[Change]) -> list[NewEvent]:
    """The events to store for these changes: each by itself, but one for all items of a user that changed alike in a row."""
    stored: list[Change | list[ItemChanged]] = []
    last_of: dict[str, list[ItemChanged] | None] = {}
    for change in changes:
        if not isinstance(change, ItemChanged):
            stored.append(change)
            last_of[change.user_id] = None
            continue
        last = last_of.get(change.user_id)
        if last is None or not _alike(last[0], change):
            last_of[change.user_id] = last = []
            stored.append(last)
        last.append(change)
    return [_moved(entry) if isinstance(entry, list) else _event(entry) for entry in stored]


def _alike(one: ItemChanged, other: ItemChanged) -> bool:
    return (one.queue_id, one.before, one.after) == (other.queue_id, other.before, other.after)


def _moved(items: Sequence[ItemChanged]) -> NewEvent:
    """Items of one user that went from one status to another; each with its number of changes."""
    first = items[0]
    body = {
        "queue_id": first.queue_id,
        "before": first.before,
        "after": first.after,
        "items": [(item.item_id, item.status_sequence) for item in items],
    }
    return NewEvent(first.user_id, "ItemChanged", _encode(body))


def _event(change: Change) -> NewEvent:
    kind = type(change)
    names: tuple[str, ...] = kind.__match_args__
    body = {name: getattr(change, name) for name in names if name != "user_id"}
    return NewEvent(change.user_id, kind.__name__, _encode(body))
