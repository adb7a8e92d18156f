"""The relay: who is told that there is something, and how often it looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tenantry import Studio
from tenantry.events.audience import Delivery
from tenantry.events.bus import Advanced, Message, ProcessBus
from tenantry.events.relay import Relay
from tenantry.queue import Batch
from tests.integration.conftest import People
from tests.integration.events.scene import PLACES
from tests.waiting import until_async

GRAPH: dict[str, object] = {"nodes": {}}
NEVER = 3_600.0


@asynccontextmanager
async def relaying(studio: Studio, bus: ProcessBus) -> AsyncIterator[list[Delivery]]:
    """What a relay hands on that never looks by itself."""
    got: list[Delivery] = []

    async def note(delivery: Delivery) -> None:
        got.append(delivery)

    async with Relay(studio, bus, PLACES, note, poll=NEVER):
        yield got


async def enqueue(studio: Studio, people: People, batches: int = 1) -> None:
    async with studio.begin(people.ana) as work:
        for _ in range(batches):
            await work.queue.enqueue(Batch(graph=GRAPH))


async def test_a_change_here_is_told_to_other_processes(studio: Studio, people: People) -> None:
    """Once it can be read there: on a file that is at once, elsewhere when it has its place."""
    heard: list[Message] = []
    async with ProcessBus("here") as bus, relaying(studio, bus) as got:
        bus.listen(heard.append)
        await enqueue(studio, people)
        await until_async(lambda: bool(heard) and bool(got))
    assert heard == [Advanced()]


async def test_what_others_say_wakes_it_although_it_has_just_spoken(studio: Studio, people: People) -> None:
    """Its own words come back to it and are not taken for theirs, nor theirs for its own."""
    async with (
        ProcessBus("here") as bus,
        ProcessBus("here") as other,
        relaying(studio, bus) as got,
        relaying(studio, other) as too,
    ):
        for number in range(1, 11):
            await enqueue(studio, people)
            await _has(got, number)
            await _has(too, number)


@pytest.mark.parametrize("number", [1, 501])
async def test_everything_is_handed_on_in_order(studio: Studio, people: People, number: int) -> None:
    """Also what takes several steps."""
    async with ProcessBus("here") as bus, relaying(studio, bus) as got:
        await enqueue(studio, people, number)
        await _has(got, number)
    assert [delivery.position for delivery in got] == sorted(delivery.position for delivery in got)


async def _has(got: list[Delivery], number: int) -> None:
    await until_async(lambda: len(got) == number)
