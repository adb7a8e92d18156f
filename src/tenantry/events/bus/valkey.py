"""The bus over Valkey, or Redis: carries everything, previews too."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from tenantry.errors import InvalidInput
from tenantry.events.bus.port import Message, Timing, Transient
from tenantry.events.bus.process import ProcessBus
from tenantry.events.bus.reconnecting import Line, ReconnectingBus
from tenantry.events.bus.wire import decode, encode, sender

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

__all__ = ["ValkeyBus"]

_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss"}
"""Of the addresses that can be used, and as the client calls them."""


class ValkeyBus(ReconnectingBus):
    """Carries everything between all processes that name the same server and namespace.

    Whoever reaches the server may read and write what it carries, so it is for the studio alone.
    Raises `InvalidInput` for an address that cannot be used, and when the client is not installed.
    """

    carrier = "Valkey"
    carries_transient = True

    def __init__(self, url: str, namespace: str, timing: Timing | None = None) -> None:
        timing = timing or Timing()
        self._origin = uuid4().hex
        super().__init__(ProcessBus(self._origin), timing)
        scheme, _, rest = url.partition("://")
        if scheme.lower() not in _SCHEMES:
            raise _unusable()
        self._url = f"{_SCHEMES[scheme.lower()]}://{rest}"
        self._channel = f"tenantry:{namespace}"
        # Made once here only to find out whether it can be.
        self._client()

    def _publish_transient(self, message: Transient) -> None:
        self._here.tell(message)
        self._send_soon(message)

    def _encoded(self, message: Message) -> bytes:
        return encode(message, self._origin)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        limit = self._timing.alive
        async with self._client() as client, client.pubsub() as subscription:
            await subscription.subscribe(self._channel)
            if await subscription.get_message(timeout=limit) is None:
                raise TimeoutError
            yield _ValkeyLine(client, subscription, self._channel, self._hear)

    def _hear(self, data: bytes) -> None:
        """Tell a message from the channel, where our own come back too."""
        if sender(data) == self._origin:
            return
        try:
            self._here.tell(decode(data))
        except ValueError as error:
            self._complain("the bus got something that is no message", reason=str(error))

    def _client(self) -> "Redis":
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise InvalidInput(
                "The client for Valkey is not installed.", field="bus", remedy="Run: pip install 'tenantry[valkey]'"
            ) from error
        limit = self._timing.alive
        # The client must not connect again by itself: what was said meanwhile would be missed without a sign.
        never = Retry(NoBackoff(), 0)
        try:
            return Redis.from_url(self._url, socket_timeout=limit, socket_connect_timeout=limit, retry=never)
        except ValueError:
            raise _unusable() from None


class _ValkeyLine:
    """One connection that listens, and another that sends: a server may refuse commands on the first."""

    def __init__(self, client: "Redis", subscription: "PubSub", channel: str, hear: Callable[[bytes], None]) -> None:
        self._client = client
        self._subscription = subscription
        self._channel = channel
        self._hear = hear

    async def receive(self, silence: float) -> None:
        """Hear what is said, and ask for a sign of life after so many seconds of silence."""
        asked = False
        while True:
            heard = await self._subscription.get_message(timeout=silence)
            if heard is None and asked:
                raise TimeoutError
            if heard is None:
                await self._subscription.ping()
            elif heard["type"] == "message":
                self._hear(heard["data"])
            asked = heard is None

    async def send(self, data: bytes) -> None:
        await self._client.publish(self._channel, data)

    async def ask(self) -> None:
        await self._client.ping()


def _unusable() -> InvalidInput:
    """What to raise for an address that is not of a Valkey server; it is not shown, because it may hold a password."""
    return InvalidInput(
        "This is not the address of a bus.",
        field="bus",
        remedy="Write valkey://host:6379/0, or valkeys:// for TLS, or leave TENANTRY_BUS out.",
    )
