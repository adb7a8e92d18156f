"""The one place that sends events to sockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

import engineio
import structlog
from engineio.packet import MESSAGE, Packet
from socketio.packet import EVENT

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
        transports: engineio.AsyncServer,
        connections: Connections,
        rules: SocketRules,
        *,
        fell_behind: Callable[[Connection], None],
    ) -> None:
        self.sent = 0
        """How many copies of events were sent since the start."""
        self.dropped = 0
        """How many copies of passing events were left out because the client did not read."""
        self._transports = transports
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
            await self._emit(event.name, event.model_dump_json(), connections)

    async def say(self, name: str, payload: Mapping[str, object], connections: Collection[Connection]) -> None:
        """Send a message of the server's own to these sockets."""
        if connections:
            await self._emit(name, json.dumps(payload), connections)

    async def _emit(self, name: str, payload: str, connections: Collection[Connection]) -> None:
        """Put one encoded packet into each socket's queue.

        By Engine.IO's own `send_packet`, because `emit` of python-socketio starts a task for every recipient.
        """
        packet = Packet(MESSAGE, f'{EVENT}["{name}",{payload}]')
        for connection in connections:
            # Whoever was sent away has a transport for a little longer.
            if not connection.gone.is_set():
                await self._guarded(self._transports.send_packet(connection.transport, packet))
                self.sent += 1
        # Putting never waits, so that whoever writes to the sockets would not get their turn before the last event.
        await asyncio.sleep(0)

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
