"""Events: what happened, who may know what of it, and how it reaches them.

For programs: `stream` is a user's events, and `EVENT_TYPES` has the type of each by its name, from the modules `accounts`,
`library`, `queue` and `running`.
"""

from tenantry.events.client import EventStream, Refetch, StreamTiming, stream
from tenantry.events.types import EVENT_TYPES, Audience, Event, accounts, library, queue, running

__all__ = [
    "EVENT_TYPES",
    "Audience",
    "Event",
    "EventStream",
    "Refetch",
    "StreamTiming",
    "accounts",
    "library",
    "queue",
    "running",
    "stream",
]
