"""The one place that sends events to sockets."""

from collections.abc import Awaitable, Callable, Iterable

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
        is_kept = delivery.place is not None
        served: set[str] = set()
        for form in delivery.forms:
            meant = self._connections.in_rooms(form.rooms)
            wanted = [connection for sid, connection in meant.items() if sid not in served]
            served |= meant.keys()
            if not is_kept:
                wanted = self._without_slow(wanted)
            await self.send(form.event, wanted)
            for connection in wanted if is_kept else ():
                if connection.waiting() > self._rules.max_waiting and not connection.is_catching_up:
                    self._fell_behind(connection)

    async def send(self, event: Event, connections: Iterable[Connection]) -> None:
        """Send one event as it is to these sockets."""
        await self.say(event.name, event.model_dump(mode="json"), connections)

    async def say(self, name: str, payload: dict[str, object], connections: Iterable[Connection]) -> None:
        """Send a message of the server's own to these sockets."""
        sids = [connection.sid for connection in connections]
        if sids:
            await self._guarded(self._server.emit(name, payload, to=sids))
            self.sent += len(sids)

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
