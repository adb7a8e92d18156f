"""Retention: what has ended goes in small steps, what has not stays."""

import math

import pytest

from tenantry.errors import InvalidInput, NotAllowed
from tenantry.queue import QueueSettings, Status, UnitOfWork
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import INTERNAL, assert_counts_agree, claim, complete, counted, enqueue, register, statuses


async def finish(mode: Mode, people: People, items: int, clock: Ticking) -> None:
    """Some items that ended a minute apart, the newest first, and one that still waits."""
    await enqueue(mode, people.ana, items)
    worker = await register(mode)
    for item in reversed(await claim(mode, worker, items)):
        clock.pass_by(seconds=20)
        await mode.write(INTERNAL, lambda work: work.workers.beat(worker))
        await complete(mode, item)
    await enqueue(mode, people.bo, 1)


async def sweep(mode: Mode, most: int = 500) -> int:
    return (await mode.write(INTERNAL, lambda work: work.queue_administration.sweep(most))).items


async def test_the_newest_are_kept(mode: Mode, people: People, clock: Ticking) -> None:
    """Those that ended last, whenever they were queued; step by step."""
    await finish(mode, people, 6, clock)
    assert await sweep(mode) == 0
    await mode.write(people.root, lambda work: work.queue_administration.set_history(keep_items=2))
    assert [await sweep(mode, 3) for _ in range(3)] == [3, 1, 0]
    assert await statuses(mode) == {1: Status.COMPLETED, 2: Status.COMPLETED, 7: Status.PENDING}
    assert await mode.write(INTERNAL, lambda work: work.queue_administration.keep_newest("default", 0)) == 2
    assert await counted(mode) == {Status.PENDING: 1}
    await assert_counts_agree(mode)


async def test_what_is_older_than_so_many_days_goes(mode: Mode, people: People, clock: Ticking) -> None:
    """Counted from its end."""
    await finish(mode, people, 2, clock)
    await mode.write(people.root, lambda work: work.queue_administration.set_history(keep_days=1.5))
    clock.pass_by(days=1)
    assert await sweep(mode) == 0
    clock.pass_by(days=1)
    assert await sweep(mode) == 2
    await assert_counts_agree(mode)


async def test_what_is_decided_about_a_queue_is_read_back(mode: Mode, people: People) -> None:
    """By administrators; numbers that could not be kept, or reckoned with, are refused, and so is a word for all queues."""

    async def decided(queue_id: str = "default") -> QueueSettings:
        return await mode.read(people.root, lambda work: work.queue_administration.settings(queue_id))

    assert await decided() == QueueSettings("default")
    await mode.write(people.root, lambda work: work.queue_administration.set_history(keep_items=9, keep_days=36_500))
    await mode.write(people.root, lambda work: work.queue_administration.set_capacity(max_pending=0))
    await mode.write(people.root, lambda work: work.queue_administration.pause())
    assert await decided() == QueueSettings("default", paused=True, max_pending=0, keep_items=9, keep_days=36_500)
    impossible: list[tuple[str, int | None, float | None, int | None]] = [
        ("keep_items", -1, None, None),
        ("keep_items", 2**31, None, None),
        ("keep_days", None, math.inf, None),
        ("keep_days", None, 1e9, None),
        ("max_pending", None, None, -1),
        ("max_pending", None, None, 2**31),
    ]
    for name, items, days, pending in impossible:

        async def decide(
            work: UnitOfWork, items: int | None = items, days: float | None = days, pending: int | None = pending
        ) -> None:
            await work.queue_administration.set_history(keep_items=items, keep_days=days)
            await work.queue_administration.set_capacity(max_pending=pending)

        with pytest.raises(InvalidInput) as refused:
            await mode.write(people.root, decide)
        assert refused.value.field == name
    with pytest.raises(InvalidInput):
        await decided("*")
    with pytest.raises(NotAllowed):
        await mode.read(people.ana, lambda work: work.queue_administration.settings())
    assert await decided() == QueueSettings("default", paused=True, max_pending=0, keep_items=9, keep_days=36_500)


async def test_empty_batches_go_after_a_day(mode: Mode, people: People, clock: Ticking) -> None:
    """Until then their ids and keys are not used again; batches with items stay for good."""
    await enqueue(mode, people.ana, batch_id="gone")
    await enqueue(mode, people.bo)
    await mode.write(people.ana, lambda work: work.queue.clear())
    first = await mode.write(INTERNAL, lambda work: work.queue_administration.sweep())
    assert (first.batches, first.last_batch) == (0, 2)
    clock.pass_by(days=1, seconds=1)
    step = await mode.write(INTERNAL, lambda work: work.queue_administration.sweep(1))
    assert (step.batches, step.last_batch, step.records) == (1, 1, 1)
    rest = await mode.write(INTERNAL, lambda work: work.queue_administration.sweep(after_batch=step.last_batch))
    assert (rest.batches, rest.last_batch) == (0, 2)
    assert (await mode.write(INTERNAL, lambda work: work.queue_administration.sweep(after_batch=2))).last_batch == 0
    await enqueue(mode, people.ana, batch_id="gone")


async def test_only_administrators_decide_what_is_kept(mode: Mode, people: People) -> None:
    """And nothing that cannot be."""
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.queue_administration.set_history(keep_items=0))
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.queue_administration.sweep())
    with pytest.raises(InvalidInput):
        await mode.write(people.root, lambda work: work.queue_administration.set_history(keep_items=-1))
