"""The relay: hands what the outbox holds to this process's clients, in order, once it is committed.

Looking by oneself is the truth; that somebody says there is something only makes it faster.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType

import structlog

from tenantry.database import timestamp, utc_now
from tenantry.database.clock import seconds_between
from tenantry.errors import TenantryError
from tenantry.events.audience import Delivery, Position
from tenantry.events.bus import Advanced, Bus, Message
from tenantry.events.ending import end
from tenantry.events.ground import EventsGround
from tenantry.events.places import Places
from tenantry.events.telling import tell
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.repositories.changes import Change
from tenantry.repositories.outbox import Stretch
from tenantry.tenancy import InternalReason, Principal

__all__ = ["POLL", "Relay", "end_of"]

POLL = {"sqlite": 0.1, "postgresql": 0.5}
"""Seconds between two looks at the outbox when nobody says that there is something.

Other processes that use a file have no way to say so without a bus; looking at it takes less than a hundredth of a core.
"""

_MOST = 500
"""Stored events of one step."""

_AT_ONCE = 20
"""Deliveries that are made before anybody else has the loop."""

_log = structlog.get_logger()

Receive = Callable[[Delivery], Awaitable[None]]
"""Gives a delivery to whoever is there. It is called for one after the other."""


class Relay:
    """Use it in an `async with` block; within, `receive` gets each delivery once, in order.

    `position` says how far it is; it moves on before `receive` is called.
    """

    def __init__(self, studio: EventsGround, bus: Bus, places: Places, receive: Receive, *, poll: float | None = None) -> None:
        self.position: Position = (0, 0)
        self.delivered = 0
        """How many events were handed on since the start."""
        self._studio = studio
        self._bus = bus
        self._places = places
        self._receive = receive
        self._poll = POLL[studio.dialect] if poll is None else poll
        self._wake = asyncio.Event()
        self._echoes = 0
        """How often what this relay said is still to come back to it."""

    async def __aenter__(self) -> "Relay":
        self._loop = asyncio.get_running_loop()
        self._stops = [self._studio.listen(self._changed), self._bus.listen(self._heard)]
        self.position = end_of((await self.stretch()).newest)
        self._task = asyncio.create_task(self._run(), name="tenantry-relay")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for stop in self._stops:
            stop()
        await end([self._task])

    async def stretch(self) -> Stretch:
        """From where to where events are kept."""
        async with self._studio.read(_delivering()) as work:
            return await work.outbox.stretch()

    async def told_after(self, place: int, most: int = _MOST) -> tuple[AsyncIterator[Delivery], int]:
        """Up to `most` stored events after a place as deliveries, and the last of their places."""
        async with self._studio.read(_delivering()) as work:
            return await self._told(work, place, most)

    async def step(self) -> bool:
        """Deliver a little of what there is; whether there may be more."""
        begun = self.position[0]
        # One transaction for all of it: another would take as long again. What is told may be newer than what happened anyway.
        async with self._looking() as work:
            given = await work.outbox.give_places(_MOST)
            deliveries, last = await self._told(work, begun, _MOST)
        if given:
            self._publish_advance()
        async for delivery in deliveries:
            self.position = delivery.position
            await self._hand_on(delivery)
        if last > begun:
            self.position = end_of(last)
        return last - begun >= _MOST

    async def _told(self, work: UnitOfWork, place: int, most: int) -> tuple[AsyncIterator[Delivery], int]:
        stored = await work.outbox.after(place, most)
        deliveries = await tell(work, stored, self._places)
        return _paced(deliveries), stored[-1].place if stored else place

    async def _hand_on(self, delivery: Delivery) -> None:
        try:
            await self._receive(delivery)
        except Exception:
            # What is stored at the same place, and after it, is handed on in any case.
            _log.exception("an event could not be handed on", place=delivery.place)
        self.delivered += 1

    async def lag(self) -> float:
        """Seconds since the oldest event was stored that this relay has not come to; 0 where there is none."""
        async with self._studio.read(_delivering()) as work:
            since = await work.outbox.waiting_since(self.position[0])
        return 0.0 if since is None else seconds_between(since, timestamp(utc_now()))

    def _looking(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work in which places can be given, where they are not there by themselves."""
        return self._studio.read(_delivering()) if self._studio.dialect == "sqlite" else self._studio.begin(_delivering())

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                more = await self.step()
            except TenantryError as error:
                _log.warning("events are not delivered for now", error=str(error))
                more = False
            except Exception:
                # A defect in one event must not keep others from being delivered for good.
                _log.exception("events are not delivered for now")
                more = False
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._poll)

    def _changed(self, changes: Sequence[Change]) -> None:
        """A unit of work of this process has changed something; called in its thread."""
        with suppress(RuntimeError):
            # The loop may be closed by now.
            self._loop.call_soon_threadsafe(self._stored)

    def _stored(self) -> None:
        self._wake.set()
        if self._studio.dialect == "sqlite":
            # What is committed has its place already; elsewhere whoever gives it one says so.
            self._publish_advance()

    def _publish_advance(self) -> None:
        self._echoes += 1
        self._bus.publish(Advanced())

    def _heard(self, message: Message) -> None:
        if not isinstance(message, Advanced):
            return
        if self._echoes:
            self._echoes -= 1
        else:
            self._wake.set()


def end_of(place: int) -> Position:
    """The position after every event that is stored at a place."""
    return place, 2**31


async def _paced(deliveries: Iterator[Delivery]) -> AsyncIterator[Delivery]:
    """Let the loop do other things now and then: to make a delivery takes time, and to hand it to nobody waits for nothing."""
    for number, delivery in enumerate(deliveries):
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        yield delivery


def _delivering() -> Principal:
    return Principal.internal(InternalReason.DELIVER)
