"""Stored events become deliveries: what happened, told whole, in the forms for those who may know."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from tenantry.events import from_library, from_queue
from tenantry.events.audience import Delivery, Form
from tenantry.events.known import Known, Told, read_known, told
from tenantry.events.places import Places
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.repositories.outbox import FORGOTTEN, StoredEvent

__all__ = ["TELLING", "tell"]

_log = structlog.get_logger()

Telling = Callable[[Told, Known], Iterator[tuple[Form, ...]]]

TELLING: Mapping[str, Telling] = {**from_queue.TELLING, **from_library.TELLING, FORGOTTEN: lambda *_: iter(())}
"""How each kind of change is told, by the name of its class."""


async def tell(work: UnitOfWork, stored: Sequence[StoredEvent], places: Places) -> Iterator[Delivery]:
    """The deliveries of stored events, in their order; `work` is Tenantry's own.

    Each is made when it is asked for, which needs `work` no more: there may be thousands.
    """
    events = [told(event) for event in stored]
    known = await read_known(work, events)
    return (delivery for event in events for delivery in _deliveries(event, known, places))


def _deliveries(event: Told, known: Known, places: Places) -> Iterator[Delivery]:
    telling = TELLING.get(event.kind)
    if telling is None:
        # Another version of the program stored it.
        _log.warning("an event of a kind that is not known here is not delivered", kind=event.kind)
        return
    try:
        for index, forms in enumerate(telling(event, known)):
            if forms:
                event_id = places.write(event.place, index)
                yield Delivery(tuple(_named(form, event_id) for form in forms), event.place, index)
    except Exception:
        # One that cannot be told must not keep all others from being delivered.
        _log.exception("an event cannot be told and is not delivered", kind=event.kind, place=event.place)


def _named(form: Form, event_id: str) -> Form:
    return Form(form.rooms, form.event.model_copy(update={"event_id": event_id}))
