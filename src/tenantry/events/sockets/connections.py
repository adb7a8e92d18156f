"""Who is connected to this process, and the rooms that they are in."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from tenantry.events.audience import Position, rooms_of
from tenantry.tenancy import Principal

__all__ = ["Connection", "Connections"]

_Index = dict[str, dict[str, "Connection"]]


@dataclass(eq=False)
class Connection:
    """One socket of a user's; it was let in by `token`, an access token or an API key, None in single-user mode."""

    sid: str
    transport: str
    """Its id in Engine.IO."""
    principal: Principal
    token: str | None = field(repr=False)
    waiting: Callable[[], int]
    """How many packets wait for the client to read them."""

    queue_ids: set[str] = field(default_factory=set)
    is_catching_up: bool = False
    """Left out of all rooms until it has had what it missed."""

    had: Position = (0, 0)
    """How far in the order of delivery it is; nothing up to there is sent to it."""

    placed: frozenset[str] = frozenset()
    """The rooms that it is in."""

    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms that its user's rights and its subscriptions give it."""
        return rooms_of(self.principal.user_id, is_admin=self.principal.is_admin, queue_ids=self.queue_ids)


class Connections:
    """All sockets of this process, by room. Nothing here waits, so that whoever looks sees a whole state."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Connection] = {}
        self._by_user: _Index = {}
        self._by_room: _Index = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_sid.values()))

    def __contains__(self, connection: Connection) -> bool:
        return self._by_sid.get(connection.sid) is connection

    def get(self, sid: str) -> Connection | None:
        return self._by_sid.get(sid)

    def add(self, connection: Connection) -> None:
        """Let a socket in, into its rooms."""
        self._by_sid[connection.sid] = connection
        _enter(self._by_user, connection.principal.user_id, connection)
        self.place(connection)

    def remove(self, sid: str) -> None:
        """Forget a socket."""
        connection = self._by_sid.pop(sid, None)
        if connection is not None:
            _leave(self._by_user, connection.principal.user_id, connection)
            self.place(connection)
            connection.gone.set()

    def place(self, connection: Connection) -> None:
        """Put a socket into the rooms that it belongs to now, and out of all others."""
        belongs = connection in self and not connection.is_catching_up
        rooms = connection.rooms if belongs else frozenset[str]()
        for room in connection.placed - rooms:
            _leave(self._by_room, room, connection)
        for room in rooms - connection.placed:
            _enter(self._by_room, room, connection)
        connection.placed = rooms

    def in_rooms(self, rooms: Collection[str]) -> dict[str, Connection]:
        """The sockets that are in at least one of the rooms, by their ids."""
        found: dict[str, Connection] = {}
        for room in rooms:
            found |= self._by_room.get(room, {})
        return found

    def of_user(self, user_id: str) -> list[Connection]:
        """All sockets of a user."""
        return list(self._by_user.get(user_id, {}).values())

    def count(self) -> tuple[int, int]:
        """How many sockets administrators have, and how many all others."""
        admins = sum(connection.principal.is_admin for connection in self)
        return admins, len(self) - admins


def _enter(index: _Index, key: str, connection: Connection) -> None:
    index.setdefault(key, {})[connection.sid] = connection


def _leave(index: _Index, key: str, connection: Connection) -> None:
    index[key].pop(connection.sid, None)
    if not index[key]:
        del index[key]
