"""Catching up: what a socket missed is read from the outbox, with the rights that its user has now."""

import asyncio
from contextlib import suppress

import structlog

from tenantry.errors import TenantryError
from tenantry.events.audience import Delivery
from tenantry.events.ending import end
from tenantry.events.places import Places
from tenantry.events.relay import Relay, end_of
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.rules import SocketRules
from tenantry.events.sockets.sending import Sending

__all__ = ["CatchingUp"]

_LOOK = 0.05
"""Seconds between two looks whether a slow client has read."""

_AGAIN = 0.5
"""Seconds until the next try to read what a socket missed."""

_AT_ONCE = 4
"""Sockets for which the outbox is read at the same time: after a restart all of them come back at once."""

_log = structlog.get_logger()


class CatchingUp:
    """Sends sockets what they missed. Meanwhile they are in no room, so that everything comes in order and once."""

    def __init__(self, relay: Relay, connections: Connections, sending: Sending, places: Places, rules: SocketRules) -> None:
        self._relay = relay
        self._connections = connections
        self._sending = sending
        self._places = places
        self._rules = rules
        self._reading = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[bool]] = set()

    async def from_event(self, connection: Connection, event_id: str) -> bool:
        """Send what came after an event; whether all of it is still kept. If not, the client is to fetch everything anew."""
        self._take_out(connection)
        position = self._places.read(event_id)
        if position is None:
            await self._refetch(connection)
            return False
        connection.had = position
        return await self._catch_up(connection)

    def fell_behind(self, connection: Connection) -> None:
        """Take a slow client out of its rooms now, and send it the rest once it has read what waits for it."""
        self._take_out(connection)
        task = asyncio.create_task(self._later(connection), name="tenantry-catching-up")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End what is going on."""
        await end(tuple(self._tasks))

    async def _later(self, connection: Connection) -> bool:
        await self._drained(connection)
        return await self._catch_up(connection)

    async def _catch_up(self, connection: Connection) -> bool:
        """Send what it has not had, however often the database fails; whether all of it was still kept."""
        while connection in self._connections:
            try:
                if not await self._is_kept(connection.had[0]):
                    await self._refetch(connection)
                    return False
                if await self._send_some(connection):
                    return True
            except Exception as error:
                # Going back into its rooms with a gap would go unnoticed for good.
                reason = str(error) if isinstance(error, TenantryError) else repr(error)
                _log.warning("a client cannot be sent what it missed for now", error=reason)
                await self._unless_gone(connection, _AGAIN)
        return False

    async def _send_some(self, connection: Connection) -> bool:
        """Send a part of it; whether there is no more than the relay itself is to deliver next, to this socket too."""
        # From the last event's own place on, since what is stored at one place may have been sent in part.
        async with self._reading:
            deliveries, last = await self._relay.told_after(connection.had[0] - 1)
        async for delivery in deliveries:
            if delivery.position > self._relay.position:
                self._put_back(connection)
                return True
            if delivery.position > connection.had:
                await self._send(connection, delivery)
        connection.had = max(connection.had, end_of(last))
        if connection.had < self._relay.position:
            return False
        self._put_back(connection)
        return True

    async def _send(self, connection: Connection, delivery: Delivery) -> None:
        connection.had = delivery.position
        event = delivery.form_for(connection.rooms)
        if event is not None:
            await self._sending.send(event, [connection])
            if connection.waiting() > self._rules.max_waiting:
                await self._drained(connection)

    async def _refetch(self, connection: Connection) -> None:
        connection.had = self._relay.position
        self._put_back(connection)
        await self._sending.say("refetch", {"event_id": self._places.write(*connection.had)}, [connection])

    async def _is_kept(self, place: int) -> bool:
        """Whether everything after a place is still there, and not too much to send."""
        async with self._reading:
            kept = await self._relay.stretch()
        return kept.oldest - 1 <= place <= kept.newest and kept.newest - place <= self._rules.max_replay

    async def _drained(self, connection: Connection) -> None:
        while connection.waiting() > self._rules.max_waiting // 2 and connection in self._connections:
            await self._unless_gone(connection, _LOOK)

    async def _unless_gone(self, connection: Connection, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.gone.wait(), seconds)

    def _take_out(self, connection: Connection) -> None:
        connection.is_catching_up = True
        self._connections.place(connection)

    def _put_back(self, connection: Connection) -> None:
        connection.is_catching_up = False
        self._connections.place(connection)
