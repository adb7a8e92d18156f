"""A user's events as an asynchronous iterator that connects by itself, and again, and misses nothing that is kept."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection
from types import TracebackType
from typing import TYPE_CHECKING

import structlog

from tenantry.errors import InvalidInput, ServerUnavailable
from tenantry.events.address import server_address
from tenantry.events.client.buffer import Buffer
from tenantry.events.client.messages import Connected, Refetch, read
from tenantry.events.client.timing import StreamTiming, waits
from tenantry.events.types import Event

if TYPE_CHECKING:
    from tenantry.events.client.connection import Connection

__all__ = ["EventStream", "stream"]

_log = structlog.get_logger()


def stream(
    url: str,
    token: str | None,
    *,
    queue_ids: Collection[str] = (),
    last_event_id: str | None = None,
    give_up_after: float | None = None,
    most_waiting: int = 1_000,
    timing: StreamTiming | None = None,
) -> "EventStream":
    """The events of a token's user from the server at `url`, from now on or from after `last_event_id`.

    With `queue_ids` also what others do in these queues, redacted. A studio for a single user needs no token. The stream
    connects again for ever, or for `give_up_after` seconds. `most_waiting` is how many events may wait to be taken before it
    hangs up and, when they are taken, goes on after the last of them.
    Raises `InvalidInput` for what is no address. What connecting raises: see `EventStream`.
    """
    return EventStream(
        url,
        token,
        queue_ids=queue_ids,
        last_event_id=last_event_id,
        give_up_after=give_up_after,
        most_waiting=most_waiting,
        timing=timing or StreamTiming(),
    )


class EventStream(AsyncIterator[Event | Refetch]):
    """Take events from it in one task, in an `async with` block, which connects at its begin and hangs up at its end:

        async with stream(url, token) as events:
            async for event in events: ...

    Without the block, `async for` connects by itself, and hangs up when the loop is left.

    Connecting the first time raises `ServerUnavailable`; later it is tried again. `AuthenticationFailed` is raised whenever the
    server does not accept the token (any more). Where events were missed for good there is a `Refetch` among them. An event
    without an `event_id`, such as progress, is passing: it may be left out when it cannot be taken at once.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        queue_ids: Collection[str],
        last_event_id: str | None,
        give_up_after: float | None,
        most_waiting: int,
        timing: StreamTiming,
    ) -> None:
        if most_waiting < 1:
            raise InvalidInput("At least one event must be able to wait.", field="most_waiting")
        self._address = server_address(url)
        self._auth: dict[str, object] = {"token": token, "queue_ids": list(queue_ids)}
        self._give_up_after = give_up_after
        self._timing = timing
        self._buffer = Buffer(most_waiting, last_event_id)
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None
        self._hanging_up: set[asyncio.Task[None]] = set()
        self._entered = False
        self._connected_at = self._lost_at = time.monotonic()
        self._waits = waits(timing, random.random)

    @property
    def last_event_id(self) -> str | None:
        """The last event that was taken, to go on after it in another stream; at first where this one begins."""
        return self._buffer.taken_id

    async def __aenter__(self) -> "EventStream":
        await self._connect()
        self._entered = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[Event | Refetch]:
        return self if self._entered else self._by_itself()

    async def __anext__(self) -> Event | Refetch:
        while not self._buffer:
            if not self._entered:
                raise StopAsyncIteration
            if self._connection is None or self._connection.over:
                await self._open_again()
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._buffer.take()

    async def aclose(self) -> None:
        """Hang up; what has come and was not taken can still be."""
        self._entered = False
        self._changed.set()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        await asyncio.gather(*self._hanging_up)

    async def _by_itself(self) -> AsyncIterator[Event | Refetch]:
        async with self:
            async for event in self:
                yield event

    async def _connect(self) -> None:
        """Try once."""
        # Loading the library takes longer than all the rest of this package, and few who use the types connect.
        from tenantry.events.client.connection import Connection

        self._connection = Connection(self._receive, self._changed.set)
        auth = self._auth | ({} if self._buffer.newest_id is None else {"last_event_id": self._buffer.newest_id})
        await self._connection.open(self._address, auth, self._timing.connecting)
        self._connected_at = time.monotonic()

    async def _open_again(self) -> None:
        """Connect again, however often whoever takes events stops waiting meanwhile."""
        opening = self._opening = self._opening or asyncio.create_task(self._reconnect(), name="tenantry-stream")
        await asyncio.wait([opening])
        self._opening = None
        if not opening.cancelled():
            opening.result()

    async def _reconnect(self) -> None:
        """Connect until it is done; at once after hanging up by ourselves, else after a while."""
        lost, self._connection, self._lost_at = self._connection, None, time.monotonic()
        if lost is not None:
            _log.info("the event stream was cut off; it connects again")
            await lost.close()
            if self._lost_at > self._connected_at + self._timing.steady:
                self._waits = waits(self._timing, random.random)
            await asyncio.sleep(next(self._waits))
        while True:
            try:
                return await self._connect()
            except ServerUnavailable as error:
                if self._give_up_after is not None and time.monotonic() >= self._lost_at + self._give_up_after:
                    raise
                _log.debug("the event stream is still cut off", error=str(error))
            await asyncio.sleep(next(self._waits))

    def _receive(self, name: str, payload: object) -> None:
        message = read(name, payload)
        if isinstance(message, Connected):
            self._buffer.begin_at(message.event_id)
        elif message is not None:
            self._buffer.add(message)
        elif isinstance(payload, dict) and isinstance(payload.get("event_id"), str):
            self._buffer.skip(payload["event_id"])
        if self._buffer.full:
            self._hang_up()
        self._changed.set()

    def _hang_up(self) -> None:
        """Until what waits is taken; the server keeps the rest."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.over = True
            task = asyncio.create_task(connection.close(), name="tenantry-stream")
            self._hanging_up.add(task)
            task.add_done_callback(self._hanging_up.discard)
