"""A bus whose carrier is another server: connects by itself, and again whenever the connection is lost."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Protocol, Self

import structlog

from tenantry.events.bus.outgoing import Outgoing
from tenantry.events.bus.port import Advanced, Listener, Message, Timing, Transient
from tenantry.events.bus.process import ProcessBus
from tenantry.events.ending import end

__all__ = ["Line", "ReconnectingBus", "waiting"]

_log = structlog.get_logger()


class Line(Protocol):
    """A connection to the carrier that has begun to listen. What is asked of it raises when the connection is lost."""

    async def receive(self, silence: float) -> None:
        """Tell what arrives; ends only by raising. Asks for a sign of life after so many seconds of silence, where need be.

        Runs beside the other two, which never run at once.
        """

    async def send(self, data: bytes) -> None: ...

    async def ask(self) -> None:
        """Make sure that the other end is there."""


class ReconnectingBus(ABC):
    """What the buses over PostgreSQL and Valkey share; `here` tells the listeners of this bus.

    After each connection the listeners are told `Advanced`, because what was said before was missed.
    """

    carrier: str
    carries_transient: bool

    def __init__(self, here: ProcessBus, timing: Timing) -> None:
        self.dropped = 0
        self.connected = False
        self._here = here
        self._timing = timing
        self._outgoing = Outgoing()
        self._cut_off = False
        self._complaints: set[str] = set()

    @abstractmethod
    def _line(self) -> AbstractAsyncContextManager[Line]:
        """A new connection, for as long as the block runs."""

    @abstractmethod
    def _publish_transient(self, message: Transient) -> None: ...

    @abstractmethod
    def _encoded(self, message: Message) -> bytes:
        """What to send for a message. Raises `ValueError` for what the carrier cannot carry."""

    async def __aenter__(self) -> Self:
        await self._here.__aenter__()
        self._keeper = asyncio.create_task(self._keep_connected(), name="tenantry-bus")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            await self._send_the_last()
        finally:
            await end([self._keeper])
            await self._here.__aexit__(kind, error, _)

    def publish(self, message: Message) -> None:
        if isinstance(message, Transient):
            self._publish_transient(message)
        else:
            self._here.tell(message)
            self._outgoing.advance()

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._here.listen(listener)

    def _send_soon(self, message: Transient) -> None:
        """Have a message sent, unless it cannot be, or the carrier is down: it would be out of date afterwards."""
        if not self.connected:
            self.dropped += 1
            return
        try:
            given_up = self._outgoing.add(self._encoded(message))
        except ValueError as error:
            given_up = 1
            self._complain("the bus cannot carry a message", name=message.name, reason=str(error))
        else:
            if given_up:
                self._complain("the bus is too slow; the oldest messages are given up")
        self.dropped += given_up

    def _complain(self, what: str, **facts: str) -> None:
        """Log something that may happen again and again, once per connection."""
        if what not in self._complaints:
            self._complaints.add(what)
            _log.warning(what, carrier=self.carrier, **facts)

    async def _keep_connected(self) -> None:
        waits = waiting(self._timing)
        while True:
            begun = time.monotonic()
            try:
                await self._carry()
            except Exception as error:
                self._went_down(error)
            if time.monotonic() > begun + self._timing.alive:
                waits = waiting(self._timing)
            await asyncio.sleep(next(waits))

    async def _carry(self) -> None:
        """Carry messages until the connection is lost, which raises."""
        try:
            async with self._line() as line:
                self._came_up()
                await _first_failure(line.receive(self._timing.alive), self._send(line))
        finally:
            self.connected = False

    async def _send(self, line: Line) -> None:
        while True:
            try:
                async with asyncio.timeout(self._timing.alive):
                    await self._outgoing.waiting.wait()
            except TimeoutError:
                await line.ask()
            else:
                await self._send_waiting(line)

    async def _send_waiting(self, line: Line) -> None:
        with self._outgoing.advancing() as advanced:
            if advanced:
                await line.send(self._encoded(Advanced()))
        for message in self._outgoing.messages():
            await line.send(message)
        if advanced:
            await asyncio.sleep(self._timing.coalescing)

    async def _send_the_last(self) -> None:
        """Whoever opens a bus to say one thing and closes it again has said it."""
        if not self._cut_off:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.closing):
                    await self._outgoing.sent.wait()

    def _came_up(self) -> None:
        if self._cut_off:
            _log.info("the bus is connected again", carrier=self.carrier, dropped=self.dropped)
        self._cut_off = False
        self._complaints.clear()
        self.connected = True
        self._here.tell(Advanced())

    def _went_down(self, error: Exception) -> None:
        self.dropped += self._outgoing.clear()
        if not self._cut_off:
            self._cut_off = True
            # Its words may have the address in them, and that a password.
            _log.warning("the bus is cut off; events come late", carrier=self.carrier, error=type(error).__name__)


def waiting(timing: Timing) -> Iterator[float]:
    """Seconds before each try to connect again."""
    wait = timing.first_wait
    while True:
        yield wait
        wait = min(wait * 2, timing.longest_wait)


async def _first_failure(*duties: Coroutine[None, None, None]) -> None:
    """Do all at once until the first of them fails, which is raised."""
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(tasks, again=0.05)
