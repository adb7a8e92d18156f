"""The relay: everything once and in order to each process, whoever writes, whoever gives places, and whatever fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from tenantry import Principal, Studio
from tenantry.errors import DatabaseUnavailable
from tenantry.events.audience import Delivery
from tenantry.events.bus import ProcessBus
from tenantry.events.relay import Receive, Relay
from tenantry.queue import Batch, UnitOfWork
from tenantry.repositories.outbox import NewEvent, add_events
from tests.integration.conftest import People
from tests.integration.events.scene import OPERATE, PLACES, place_all
from tests.waiting import until_async

GRAPH: dict[str, object] = {"nodes": {}}
BATCH = Batch(graph=GRAPH)


@asynccontextmanager
async def relaying(studio: Studio, receive: Receive) -> AsyncIterator[Relay]:
    """A relay of a process of its own, which looks often."""
    async with ProcessBus("studio") as bus, Relay(studio, bus, PLACES, receive, poll=0.01) as relay:
        yield relay


class Taken:
    """What a relay handed on."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    @property
    def names(self) -> list[str]:
        return [delivery.forms[0].event.name for delivery in self.deliveries]

    @property
    def places(self) -> list[int | None]:
        return [delivery.place for delivery in self.deliveries]


async def enqueue(studio: Studio, who: Principal, runs: int = 1) -> None:
    async with studio.begin(who) as work:
        await work.queue.enqueue(Batch(graph=GRAPH, runs=runs))


async def claim(studio: Studio, items: int) -> None:
    async with studio.begin(OPERATE) as work:
        worker = await work.workers.register("worker", host="here", process=1, concurrency=items)
        await work.dispatch.claim(worker, devices=(None,) * items)


async def test_what_cannot_be_handed_on_takes_nothing_along(studio: Studio, people: People) -> None:
    """Neither what is stored at the same place, nor what comes after it."""
    taken, failed = Taken(), list[Delivery]()

    async def receive(delivery: Delivery) -> None:
        if delivery.forms[0].event.name == "queue_item_status_changed" and not failed:
            failed.append(delivery)
            raise ZeroDivisionError
        await taken(delivery)

    async with relaying(studio, receive) as relay:
        with capture_logs() as logs:
            await enqueue(studio, people.ana, runs=3)
            await claim(studio, 3)
            await enqueue(studio, people.ana)
            await until_async(lambda: relay.delivered == 5)
    assert taken.names == ["batch_enqueued", *["queue_item_status_changed"] * 2, "batch_enqueued"]
    assert [line["event"] for line in logs] == ["an event could not be handed on"]


async def test_what_cannot_be_told_takes_nothing_along(studio: Studio, people: People) -> None:
    """An event whose body makes no sense, and one of a kind that another version of the program knows."""
    taken = Taken()
    async with relaying(studio, taken):
        with capture_logs() as logs:
            await enqueue(studio, people.ana)
            async with studio.begin(OPERATE) as work:
                odd = [NewEvent("ana", "BoardShared", "{}"), NewEvent("ana", "Unheard", "{}")]
                await add_events(work.ground.connection, odd, "2026-11-23 12:00:00.000")
            await enqueue(studio, people.bo)
            await until_async(lambda: len(taken.names) == 2)
    assert [delivery.forms[0].event.name for delivery in taken.deliveries] == ["batch_enqueued"] * 2
    assert len(logs) == 2


async def test_items_that_are_gone_before_they_are_told_leave_their_end(studio: Studio, people: People) -> None:
    """What became of them meanwhile says nothing any more."""
    taken = Taken()
    async with relaying(studio, taken) as relay:
        behind = relay.position
    await enqueue(studio, people.ana, runs=2)
    await claim(studio, 2)
    async with studio.begin(people.ana) as work:
        await work.queue.clear()
    async with relaying(studio, taken) as relay:
        relay.position = behind
        await until_async(lambda: "queue_cleared" in taken.names)
    assert taken.names == ["batch_enqueued", "queue_items_deleted", "queue_cleared"]


async def test_nothing_is_told_of_what_is_rolled_back(studio: Studio, people: People) -> None:
    """Nor before the commit: what has not happened yet waits for it."""
    taken = Taken()
    async with relaying(studio, taken) as relay:
        for _ in range(3):
            with suppress(ZeroDivisionError):
                async with studio.begin(people.ana) as work:
                    await work.queue.enqueue(BATCH)
                    await work.boards.create("Foxes")
                    raise ZeroDivisionError
        await enqueue(studio, people.bo)
        await until_async(lambda: relay.delivered > 0)
    assert [(delivery.forms[0].event.name, delivery.place) for delivery in taken.deliveries] == [("batch_enqueued", 1)]


async def test_every_process_hears_the_same_in_the_same_order(studio: Studio, people: People) -> None:
    """Several relays give places at once while several transactions commit, in another order than they began."""
    taken = [Taken() for _ in range(3)]

    async def write(who: Principal) -> None:
        for number in range(20):
            with suppress(ZeroDivisionError):
                async with studio.begin(who) as work:
                    await work.queue.enqueue(BATCH)
                    await work.boards.create(f"Board {number}")
                    if number % 5 == 0:
                        raise ZeroDivisionError

    async with relaying(studio, taken[0]), relaying(studio, taken[1]), relaying(studio, taken[2]):
        await asyncio.gather(*(write(who) for who in (people.ana, people.bo, people.cy, people.root)))
        await until_async(lambda: all(len(each.places) == 4 * 16 * 2 for each in taken))
    for each in taken:
        assert each.places == list(range(1, 129))
        assert each.deliveries == taken[0].deliveries


async def test_an_outage_costs_time_and_nothing_else(studio: Studio, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the relay's position nor an event."""
    taken, outages = Taken(), 3
    read = studio.read

    def refuse(principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]:
        nonlocal outages
        outages -= 1
        if outages >= 0:
            raise DatabaseUnavailable("The database is away.")
        return read(principal)

    async with relaying(studio, taken):
        monkeypatch.setattr(studio, "read", refuse)
        await enqueue(studio, people.ana)
        await enqueue(studio, people.bo)
        await until_async(lambda: len(taken.names) == 2)
    assert taken.places == [1, 2]


async def test_thousands_that_are_stored_as_one_do_not_stop_the_others(studio: Studio, people: People) -> None:
    """A worker of many places claims them at once; meanwhile the server answers."""
    taken, looks = Taken(), 0
    await enqueue(studio, people.ana, runs=1_000)
    await claim(studio, 1_000)
    await place_all(studio)

    async def look() -> None:
        nonlocal looks
        while True:
            await asyncio.sleep(0)
            looks += bool(taken.deliveries)

    async with relaying(studio, taken) as relay:
        looking = asyncio.create_task(look())
        relay.position = (0, 0)
        await until_async(lambda: len(taken.places) >= 1_001)
        looking.cancel()
    assert taken.names[1:1_001] == ["queue_item_status_changed"] * 1_000
    assert looks > 20
