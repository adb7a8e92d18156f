"""The bus over PostgreSQL: says that the outbox has advanced, and nothing else, because every login may listen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from tenantry.events.bus.port import Advanced, Message, Timing, Transient
from tenantry.events.bus.process import ProcessBus
from tenantry.events.bus.reconnecting import Line, ReconnectingBus

__all__ = ["PostgreSQLBus", "channel_of"]


def channel_of(namespace: str) -> str:
    """The channel of a studio: PostgreSQL cuts off names after 63 bytes, so it is told by a digest."""
    return f"tenantry_{sha256(namespace.encode()).hexdigest()[:32]}"


class PostgreSQLBus(ReconnectingBus):
    """Carries `Advanced` between all processes that use the database at `url`, and the rest within this process.

    It has a connection of its own, outside of every transaction. `url` is one that asyncpg understands.
    """

    carrier = "PostgreSQL"
    carries_transient = False

    def __init__(self, url: str, namespace: str, timing: Timing | None = None) -> None:
        super().__init__(ProcessBus(f"{namespace} at {url}"), timing or Timing())
        self._url = url
        self._channel = channel_of(namespace)

    def _publish_transient(self, message: Transient) -> None:
        self._here.publish(message)

    def _encoded(self, message: Message) -> bytes:
        return b""

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        import asyncpg

        limit = self._timing.alive
        connection = await asyncpg.connect(
            self._url, timeout=limit, command_timeout=limit, server_settings={"application_name": "tenantry bus"}
        )
        try:
            line = _PostgreSQLLine(connection, self._channel)
            async with asyncio.timeout(limit):
                await connection.add_listener(self._channel, self._notified)
            yield line
        finally:
            connection.terminate()

    def _notified(self, connection: Any, sender: int, _: str, payload: str) -> None:
        if payload:
            self._complain("the bus got something that is no message")
        elif sender != connection.get_server_pid():
            self._here.tell(Advanced())


class _PostgreSQLLine:
    def __init__(self, connection: Any, channel: str) -> None:
        self._connection = connection
        self._channel = channel
        self._lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self._lost.set())

    async def receive(self, silence: float) -> None:
        """Wait for the end; notifications come by themselves, and asking makes sure of the same connection."""
        await self._lost.wait()
        raise ConnectionError

    async def send(self, data: bytes) -> None:
        await self._connection.execute("SELECT pg_notify($1, '')", self._channel)

    async def ask(self) -> None:
        await self._connection.execute("SELECT 1")
