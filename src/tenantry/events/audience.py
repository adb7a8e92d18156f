"""Who gets what of an event: the one place that decides it, for live sockets and for replays alike.

An event has forms. Each goes to rooms, and whoever is in the rooms of several gets the first of them, once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tenantry.events.types import Audience, Event

__all__ = [
    "ADMINS",
    "NOBODY",
    "SHARED_BOARDS",
    "SHARED_WORKFLOWS",
    "Delivery",
    "Form",
    "Position",
    "Reach",
    "Viewers",
    "forms_of",
    "joined",
    "queue_room",
    "rooms_of",
    "user_room",
]

ADMINS = "admin"
"""The room of administrators."""

SHARED_BOARDS = "boards:shared"
SHARED_WORKFLOWS = "workflows:shared"
"""Rooms that everybody is in, for what is shown to everybody."""


def user_room(user_id: str) -> str:
    """The room of one user's sockets."""
    return f"user:{user_id}"


def queue_room(queue_id: str) -> str:
    """The room of those who have subscribed to a queue."""
    return f"queue:{queue_id}"


def rooms_of(user_id: str, *, is_admin: bool, queue_ids: Collection[str] = ()) -> frozenset[str]:
    """The rooms of a user with these rights and subscriptions."""
    rooms = {user_room(user_id), SHARED_BOARDS, SHARED_WORKFLOWS, *map(queue_room, queue_ids)}
    return frozenset(rooms | {ADMINS} if is_admin else rooms)


@dataclass(frozen=True, slots=True)
class Viewers:
    """Who sees a board besides its owner and administrators."""

    user_ids: frozenset[str] = frozenset()
    everybody: bool = False

    def __and__(self, other: "Viewers") -> "Viewers":
        """Who sees both of two boards."""
        if self.everybody or other.everybody:
            ids = other.user_ids if self.everybody and not other.everybody else self.user_ids
            return Viewers(ids, self.everybody and other.everybody)
        return Viewers(self.user_ids & other.user_ids)

    @property
    def rooms(self) -> frozenset[str]:
        return frozenset({SHARED_BOARDS}) if self.everybody else frozenset(map(user_room, self.user_ids))


NOBODY = Viewers()


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom one event concerns: whose it is, and where the others of its audience are."""

    user_id: str
    queue_id: str = ""
    viewers: Viewers = NOBODY
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What of an event goes to some rooms."""

    rooms: frozenset[str]
    event: Event


Position = tuple[int, int]
"""A place in the outbox, and which of the events that are stored there as one."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event in its forms; `place` is that in the outbox, None for what is not kept."""

    forms: tuple[Form, ...]
    place: int | None = None
    index: int = field(default=0)
    """Which of the events that are stored as one."""

    @property
    def position(self) -> Position:
        """Where the event is in the order of delivery."""
        return self.place or 0, self.index

    def form_for(self, rooms: Collection[str]) -> Event | None:
        """What somebody in these rooms gets; None: nothing."""
        return next((form.event for form in self.forms if not form.rooms.isdisjoint(rooms)), None)


def forms_of(event: Event, reach: Reach) -> tuple[Form, ...]:
    """The forms of an event by its audience."""
    whole = {
        Audience.NOBODY: set[str](),
        Audience.OWNER: {user_room(reach.user_id)},
        Audience.ADMINS: {ADMINS},
    }.get(event.audience, {user_room(reach.user_id), ADMINS})
    others = _others(event.audience, reach)
    forms = [Form(frozenset(whole), event)]
    if others:
        forms.append(Form(others, event.redacted()))
    return tuple(form for form in forms if form.rooms)


def joined(*parts: Sequence[Form]) -> tuple[Form, ...]:
    """The forms of several events that are one to their recipients: each gets the first that is meant for them."""
    return tuple(form for part in parts for form in part)


def _others(audience: Audience, reach: Reach) -> frozenset[str]:
    match audience:
        case Audience.QUEUE:
            return frozenset({queue_room(reach.queue_id)})
        case Audience.BOARD:
            return reach.viewers.rooms
        case Audience.WORKFLOW:
            return frozenset({SHARED_WORKFLOWS}) if reach.is_public else frozenset()
    return frozenset()
