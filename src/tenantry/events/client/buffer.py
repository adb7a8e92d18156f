"""What has come and nobody has taken yet: in order, nothing twice, and never more than so much."""

from collections import deque

from tenantry.events.client.messages import Refetch
from tenantry.events.types import Event

__all__ = ["Buffer"]

_REMEMBERED = 4_096
"""Ids of events by which one that comes again is known."""

_BEFORE_PASSING = 50
"""Events that may wait before passing ones, such as previews, which can be large, are left out."""


class Buffer:
    """Holds `most` events at most; whoever fills it looks at `full`, and stops, before adding another."""

    def __init__(self, most: int, last_event_id: str | None) -> None:
        self.newest_id = last_event_id
        """The last event that came: where to go on after the connection was lost."""
        self.taken_id = last_event_id
        """The last event that was taken."""
        self._most = most
        self._waiting: deque[Event | Refetch] = deque()
        self._seen: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self._most

    def begin_at(self, event_id: str) -> None:
        """Go on after this event where nobody said after which."""
        if self.newest_id is None:
            self.newest_id = self.taken_id = event_id

    def add(self, event: Event | Refetch) -> None:
        """Put one at the end, unless it was there before, or is a passing one and too many wait."""
        if event.event_id is None:
            if len(self._waiting) < min(_BEFORE_PASSING, self._most):
                self._waiting.append(event)
            return
        if isinstance(event, Refetch):
            # What follows may bear ids of before, where an older database was put in place.
            self._seen.clear()
        elif event.event_id in self._seen:
            return
        self._remember(event.event_id)
        self._waiting.append(event)

    def skip(self, event_id: str) -> None:
        """Note an event that nobody wants, so that the stream does not go on before it."""
        self.newest_id = event_id

    def take(self) -> Event | Refetch:
        """The oldest one."""
        event = self._waiting.popleft()
        self.taken_id = event.event_id or self.taken_id
        return event

    def _remember(self, event_id: str) -> None:
        self.newest_id = event_id
        self._seen[event_id] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
