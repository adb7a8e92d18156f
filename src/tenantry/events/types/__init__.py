"""Every type of event, each with its audience and what others get of it."""

from tenantry.events.types import accounts, library, queue, running
from tenantry.events.types.base import EVENT_TYPES, Audience, Event, Others, Part

__all__ = ["EVENT_TYPES", "Audience", "Event", "Others", "Part", "accounts", "library", "queue", "running"]
