"""The outbox: stored with the change, in one order for everybody, kept for a while."""

from contextlib import suppress

import pytest

from tenantry import Studio
from tenantry.errors import NotAllowed
from tenantry.queue import Batch
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.events.scene import OPERATE, deliveries, place_all

GRAPH: dict[str, object] = {"nodes": {}}


async def kinds(studio: Studio) -> list[str]:
    """The kinds of the stored events, in the order of delivery."""
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        return [event.kind for event in await work.outbox.after(0, 1_000)]


async def test_a_change_and_its_event_are_stored_together(mode: Mode, people: People) -> None:
    """Whoever changed it, and in either mode."""
    await mode.write(people.ana, lambda work: work.queue.enqueue(Batch(graph=GRAPH)))
    await mode.write(people.root, lambda work: work.queue.enqueue(Batch(graph=GRAPH)))
    assert await kinds(mode.studio) == ["BatchEnqueued", "BatchEnqueued"]


async def test_what_is_rolled_back_leaves_no_event(studio: Studio, people: People) -> None:
    """Nothing happened."""

    async def give_up() -> None:
        async with studio.begin(people.ana) as work:
            await work.queue.enqueue(Batch(graph=GRAPH))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await give_up()
    assert await kinds(studio) == []


async def test_items_that_change_alike_are_one_event_for_each_user(studio: Studio, people: People) -> None:
    """A worker that claims many writes a row for each user, not for each item."""
    for who in (people.ana, people.bo):
        async with studio.begin(who) as work:
            await work.queue.enqueue(Batch(graph=GRAPH, runs=3))
    async with studio.begin(OPERATE) as work:
        worker = await work.workers.register("worker", host="here", process=1, concurrency=6)
        await work.dispatch.claim(worker, devices=(None,) * 6)
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        claimed = [event for event in await work.outbox.after(0, 100) if event.kind == "ItemChanged"]
    assert [event.user_id for event in claimed] == ["ana", "bo"]


async def test_places_have_no_gaps_and_stay(studio: Studio, people: People) -> None:
    """Also where transactions were given up in between, and however often places are given."""
    for attempt in range(6):
        with suppress(ZeroDivisionError):
            async with studio.begin(people.ana) as work:
                await work.queue.enqueue(Batch(graph=GRAPH))
                if attempt % 2:
                    raise ZeroDivisionError
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        first = [event.place for event in await work.outbox.after(0, 100)]
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        assert [event.place for event in await work.outbox.after(0, 100)] == first == [1, 2, 3]


async def test_history_is_pruned_and_the_newest_stays(studio: Studio, people: People, clock: Ticking) -> None:
    """In steps; places go on where they were, so that nobody mistakes a new event for one that they have had."""
    for _ in range(4):
        async with studio.begin(people.ana) as work:
            await work.queue.enqueue(Batch(graph=GRAPH))
    await place_all(studio)
    clock.pass_by(hours=25)
    async with studio.begin(OPERATE) as work:
        assert await work.outbox.prune("2026-11-24 12:30:00.000", 2) == 2
        assert await work.outbox.prune("2026-11-24 12:30:00.000", 10) == 1
        assert await work.outbox.prune("2026-11-24 12:30:00.000", 10) == 0
    async with studio.begin(people.ana) as work:
        await work.queue.enqueue(Batch(graph=GRAPH))
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        assert [event.place for event in await work.outbox.after(0, 10)] == [4, 5]
        assert ((await work.outbox.stretch()).oldest, (await work.outbox.stretch()).newest) == (4, 5)


async def test_events_are_no_tenants_to_read(studio: Studio, people: People) -> None:
    """Not even their own: at delivery it is decided who may know what."""
    async with studio.read(people.ana) as work:
        with pytest.raises(NotAllowed):
            await work.outbox.after(0, 10)


async def test_a_user_who_goes_takes_no_place_along(studio: Studio, people: People) -> None:
    """Theirs were the newest events; what comes next comes after them, so that whoever has had them gets it."""
    for _ in range(3):
        async with studio.begin(people.ana) as work:
            await work.queue.enqueue(Batch(graph=GRAPH))
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        before = (await work.outbox.stretch()).newest
    await studio.accounts.delete("ana", "delete")
    await place_all(studio)
    async with studio.read(OPERATE) as work:
        assert [event.kind for event in await work.outbox.after(before, 10)] == ["AccountDeleted"]
        assert {event.user_id for event in await work.outbox.after(0, 10) if event.place <= before} <= {"system"}
    assert [delivery.forms[0].event.name for delivery in await deliveries(studio)] == ["account_deleted"]
