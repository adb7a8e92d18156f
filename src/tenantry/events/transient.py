"""Passing events, such as progress: told to who is there, and kept nowhere."""

import structlog
from pydantic import ValidationError

from tenantry.events.audience import Delivery, Reach, forms_of
from tenantry.events.bus import Transient
from tenantry.events.types import EVENT_TYPES, Event, running

__all__ = ["delivery_of", "transient_of"]

_log = structlog.get_logger()

_PASSING = frozenset(kind for kind in EVENT_TYPES.values() if kind.__module__ == running.__name__)


def transient_of(event: Event, user_id: str) -> Transient:
    """A passing event of a user's, for the bus. Raises `TypeError` for one that the outbox keeps."""
    if type(event) not in _PASSING:
        raise TypeError(f"{event.name} is kept; change something in a unit of work to tell it.")
    return Transient(event.name, user_id, event.model_dump(mode="json"))


def delivery_of(message: Transient) -> Delivery | None:
    """What the bus brought, for those who may know it; None for what is no passing event."""
    kind = EVENT_TYPES.get(message.name)
    if kind not in _PASSING or kind is None:
        _log.warning("the bus brought what is no passing event", name=message.name)
        return None
    try:
        event = kind.model_validate(message.payload)
    except ValidationError:
        _log.warning("the bus brought a passing event that cannot be read", name=message.name)
        return None
    return Delivery(forms_of(event, Reach(message.user_id)))
