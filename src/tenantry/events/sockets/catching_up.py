"""Catching up: what a socket missed is read from the outbox, with the rights that its user has now."""

import asyncio
from contextlib import suppress

import structlog

from tenantry.errors import TenantryError
from tenantry.events.audience import Delivery, Position
from tenantry.events.places import Places
from tenantry.events.relay import Relay, end_of
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.rules import SocketRules
from tenantry.events.sockets.sending import Sending

__all__ = ["CatchingUp"]

_LOOK = 0.05
"""Seconds between two looks whether a slow client has read."""

_log = structlog.get_logger()


class CatchingUp:
    """Sends sockets what they missed. Meanwhile they are in no room, so that everything comes in order and once."""

    def __init__(self, relay: Relay, connections: Connections, sending: Sending, places: Places, rules: SocketRules) -> None:
        self._relay = relay
        self._connections = connections
        self._sending = sending
        self._places = places
        self._rules = rules
        self._tasks: set[asyncio.Task[None]] = set()

    async def from_event(self, connection: Connection, event_id: str) -> bool:
        """Send what came after an event; whether all of it is still kept. If not, the client is to fetch everything anew."""
        position = self._places.read(event_id)
        if position is None or not await self._is_kept(position[0]):
            await self._refetch(connection)
            return False
        await self._replay(connection, position)
        return True

    def fell_behind(self, connection: Connection) -> None:
        """Take a slow client out of its rooms now, and send it the rest once it has read what waits for it."""
        connection.is_catching_up = True
        self._connections.place(connection)
        task = asyncio.create_task(self._later(connection, self._relay.position), name="tenantry-catching-up")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End what is going on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _later(self, connection: Connection, at: Position) -> None:
        await self._drained(connection)
        try:
            if await self._is_kept(at[0]):
                await self._replay(connection, at)
            else:
                await self._refetch(connection)
        except TenantryError as error:
            # It would miss events for good; a client that is told to fetch anew misses none.
            _log.warning("a slow client could not be sent what it missed", error=str(error))
            await self._refetch(connection)

    async def _replay(self, connection: Connection, at: Position) -> None:
        """Send everything after a position, until the relay itself is not further; then back into the rooms at once."""
        connection.is_catching_up = True
        self._connections.place(connection)
        try:
            while self._is_here(connection):
                # From the position's own place on, since what is stored at one place may have been read in part.
                deliveries, last = await self._relay.told_after(at[0] - 1)
                for delivery in deliveries:
                    if delivery.position > self._relay.position:
                        return
                    if delivery.position > at:
                        await self._send(connection, delivery)
                        at = delivery.position
                at = max(at, end_of(last))
                if at >= self._relay.position:
                    return
                await self._drained(connection)
        finally:
            # Nothing may wait between the last comparison and here.
            connection.is_catching_up = False
            self._connections.place(connection)

    async def _send(self, connection: Connection, delivery: Delivery) -> None:
        event = delivery.form_for(connection.rooms)
        if event is not None:
            await self._sending.send(event, [connection])

    async def _refetch(self, connection: Connection) -> None:
        event_id = self._places.write(*self._relay.position)
        connection.is_catching_up = False
        self._connections.place(connection)
        await self._sending.say("refetch", {"event_id": event_id}, [connection])

    async def _is_kept(self, place: int) -> bool:
        """Whether everything after a place is still there, and not too much to send."""
        kept = await self._relay.stretch()
        return kept.oldest - 1 <= place <= kept.newest and kept.newest - place <= self._rules.max_replay

    async def _drained(self, connection: Connection) -> None:
        while connection.waiting() > self._rules.max_waiting // 2 and self._is_here(connection):
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.gone.wait(), _LOOK)

    def _is_here(self, connection: Connection) -> bool:
        return self._connections.get(connection.sid) is connection
