"""The one place that sends events to sockets."""

from collections.abc import Awaitable, Callable, Collection, Iterable

import socketio
import structlog

from tenantry.events.audience import Delivery
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.rules import SocketRules
from tenantry.events.types import Event

__all__ = ["Sending"]

_log = structlog.get_logger()


class Sending:
    """Gives each socket what is meant for it, and no socket more than it reads."""

    def __init__(
        self,
        server: socketio.AsyncServer,
        connections: Connections,
        rules: SocketRules,
        *,
        fell_behind: Callable[[Connection], None],
    ) -> None:
        self.sent = 0
        """How many copies of events were sent since the start."""
        self.dropped = 0
        """How many copies of passing events were left out because the client did not read."""
        self._server = server
        self._connections = connections
        self._rules = rules
        self._fell_behind = fell_behind

    async def deliver(self, delivery: Delivery) -> None:
        """Send each form to those in its rooms who got none before it."""
        meant = self._meant(delivery)
        for event, connections in meant:
            await self.send(event, connections)
        if delivery.place is not None:
            self._look_whether_read([connection for _, connections in meant for connection in connections])

    async def send(self, event: Event, connections: Collection[Connection]) -> None:
        """Send one event as it is to these sockets."""
        if connections:
            await self.say(event.name, event.model_dump(mode="json"), connections)

    async def say(self, name: str, payload: dict[str, object], connections: Collection[Connection]) -> None:
        """Send a message of the server's own to these sockets."""
        sids = [connection.sid for connection in connections]
        await self._guarded(self._server.emit(name, payload, to=sids))
        self.sent += len(sids)

    def _meant(self, delivery: Delivery) -> list[tuple[Event, list[Connection]]]:
        """Who gets which form. Nothing waits here: whoever catches up meanwhile gets it by that, or by this, not by both."""
        served: set[str] = set()
        meant = []
        for form in delivery.forms:
            found = self._connections.in_rooms(form.rooms)
            wanted = [connection for sid, connection in found.items() if sid not in served]
            served |= found.keys()
            meant.append((form.event, self._without_slow(wanted) if delivery.place is None else _moved_on(wanted, delivery)))
        return meant

    def _look_whether_read(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            if connection.waiting() > self._rules.max_waiting and not connection.is_catching_up:
                self._fell_behind(connection)

    def _without_slow(self, connections: list[Connection]) -> list[Connection]:
        quick = [connection for connection in connections if connection.waiting() <= self._rules.max_waiting_previews]
        self.dropped += len(connections) - len(quick)
        return quick

    async def _guarded(self, emitting: Awaitable[None]) -> None:
        try:
            await emitting
        except Exception:
            # A socket that breaks while it is sent to must not keep the others from getting theirs.
            _log.exception("an event could not be sent to some sockets")


def _moved_on(connections: Iterable[Connection], delivery: Delivery) -> list[Connection]:
    """Those that have not had a delivery; now they have."""
    behind = [connection for connection in connections if connection.had < delivery.position]
    for connection in behind:
        connection.had = delivery.position
    return behind
