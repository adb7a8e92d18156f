"""Leases: what a worker holds, what it loses, and that nobody hears it after that."""

import pytest

from tenantry.errors import InvalidInput, LeaseLost, NotAllowed, NotFound
from tenantry.queue import Canceled, Completed, Failed, Lease, Released, Status, Suspended, UnitOfWork
from tenantry.queue.changes import ItemChanged
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import (
    INTERNAL,
    assert_counts_agree,
    claim,
    complete,
    counted,
    enqueue,
    register,
    statuses,
)


async def recover(mode: Mode) -> list[int]:
    """One step of recovery by somebody who is alive."""
    return sorted(item.item_id for item in await mode.write(INTERNAL, lambda work: work.workers.recover_expired()))


async def test_an_acknowledgement_counts_once(mode: Mode, people: People) -> None:
    """The second finds that the lease is gone."""
    await enqueue(mode, people.ana, 2)
    items = await claim(mode, await register(mode), 2)
    await mode.write(INTERNAL, lambda work: work.dispatch.complete(items[0].lease, session='{"id": "done"}'))
    await mode.write(INTERNAL, lambda work: work.dispatch.fail(items[1].lease, "ValueError", "no\0way", "Traceback"))
    for item in items:
        with pytest.raises(LeaseLost):
            await complete(mode, item)
    done = await mode.read(people.ana, lambda work: work.queue.get(items[0].item_id))
    failed = (await mode.read(people.ana, lambda work: work.queue.get(items[1].item_id))).item
    assert (done.item.status, done.session, done.item.status_sequence) == (Status.COMPLETED, '{"id": "done"}', 2)
    assert (failed.error_type, failed.error_message, failed.error_traceback) == (
        "ValueError",
        "no\N{REPLACEMENT CHARACTER}way",
        "Traceback",
    )
    assert failed.completed_at is not None
    await assert_counts_agree(mode)


async def test_many_are_acknowledged_at_once_each_by_itself(mode: Mode, people: People) -> None:
    """Those whose lease is lost are named; the others count."""
    await enqueue(mode, people.ana, 5)
    worker = await register(mode)
    one, two, three, four, five = (item.lease for item in await claim(mode, worker, 5))
    await mode.write(people.ana, lambda work: work.queue.cancel(two.item_id))
    stale = Lease(five.item_id, worker, five.attempt + 1)
    acknowledgements = [
        Completed(lease=one),
        Completed(lease=two),
        Failed(lease=three, error_type="E", error_message="m"),
        Released(lease=four, wait=60),
        Canceled(lease=stale),
    ]
    lost = await mode.write(INTERNAL, lambda work: work.dispatch.acknowledge(acknowledgements))
    assert lost == [two, stale]
    assert list((await statuses(mode)).values()) == [
        Status.COMPLETED,
        Status.CANCELED,
        Status.FAILED,
        Status.PENDING,
        Status.IN_PROGRESS,
    ]
    await assert_counts_agree(mode)


async def test_what_was_released_waits_as_long_as_was_said(mode: Mode, people: People, clock: Ticking) -> None:
    """Then it comes again, in another attempt."""
    await enqueue(mode, people.ana, 2)
    worker = await register(mode)
    (item,) = await claim(mode, worker)
    await mode.write(INTERNAL, lambda work: work.dispatch.release(item.lease, wait=10))
    assert [other.item_id for other in await claim(mode, worker, 2)] == [2]
    clock.pass_by(seconds=11)
    (again,) = await claim(mode, worker, 3)
    assert (again.item_id, again.lease.attempt) == (item.item_id, 2)


async def test_a_lease_lasts_from_beat_to_beat(mode: Mode, people: People, clock: Ticking) -> None:
    """A worker that beats keeps what it holds; the answer tells what that is."""
    await enqueue(mode, people.ana, 2)
    worker = await register(mode)
    (item, _) = await claim(mode, worker, 2)
    for _ in range(3):
        clock.pass_by(seconds=20)
        beat = await mode.write(INTERNAL, lambda work: work.workers.beat(worker))
        assert beat.held == {(1, 1), (2, 1)}
        assert await recover(mode) == []
    await complete(mode, item)
    assert (await mode.write(INTERNAL, lambda work: work.workers.beat(worker))).held == {(2, 1)}
    await mode.write(people.root, lambda work: work.workers.drain(worker))
    assert (await mode.write(INTERNAL, lambda work: work.workers.beat(worker))).draining


async def test_an_expired_lease_is_recovered_once(mode: Mode, people: People, clock: Ticking) -> None:
    """Its items wait again; nothing of what the dead one says is heard, whoever runs them meanwhile."""
    await enqueue(mode, people.ana, 2)
    dead, alive = await register(mode, "dead"), await register(mode, "alive")
    first, second = await claim(mode, dead, 2)
    clock.pass_by(seconds=29)
    await mode.write(INTERNAL, lambda work: work.workers.beat(alive))
    assert await recover(mode) == []
    clock.pass_by(seconds=2)
    for item in (first, second):
        with pytest.raises(LeaseLost):
            await complete(mode, item)
    told: list[object] = []
    stop = mode.studio.listen(told.extend)
    assert await recover(mode) == [1, 2]
    assert await recover(mode) == []
    stop()
    assert [(each.item_id, each.before, each.after) for each in told if isinstance(each, ItemChanged)] == [
        (1, Status.IN_PROGRESS, Status.PENDING),
        (2, Status.IN_PROGRESS, Status.PENDING),
    ]
    with pytest.raises(LeaseLost):
        await mode.write(INTERNAL, lambda work: work.workers.beat(dead))
    clock.pass_by(seconds=6)
    again = await claim(mode, alive, 2)
    assert [(item.item_id, item.lease.attempt) for item in again] == [(1, 2), (2, 2)]
    with pytest.raises(LeaseLost):
        await complete(mode, first)
    with pytest.raises(LeaseLost):
        await mode.write(INTERNAL, lambda work: work.dispatch.save(first.lease, "{}"))
    await complete(mode, *again)
    assert await counted(mode) == {Status.COMPLETED: 2}
    await assert_counts_agree(mode)


async def test_an_item_that_takes_its_workers_down_ends_failed(mode: Mode, people: People, clock: Ticking) -> None:
    """After as many attempts as the rules say, with the reason; each time it waits longer."""
    await enqueue(mode, people.ana)
    for attempt, wait in ((1, 5), (2, 10), (3, None)):
        worker = await register(mode)
        (item,) = await claim(mode, worker)
        assert item.lease.attempt == attempt
        clock.pass_by(seconds=31)
        assert await recover(mode) == [1]
        if wait is not None:
            other = await register(mode)
            clock.pass_by(seconds=wait - 1)
            assert await claim(mode, other) == []
            clock.pass_by(seconds=2)
    found = (await mode.read(people.ana, lambda work: work.queue.get(1))).item
    assert (found.status, found.error_type) == (Status.FAILED, "WorkerLost")
    assert "3 times" in (found.error_message or "")
    await assert_counts_agree(mode)


async def test_a_worker_that_says_goodbye_gives_back_what_it_holds(mode: Mode, people: People) -> None:
    """At once, and without counting as lost for ever; others' running items stay as they are."""
    await enqueue(mode, people.ana, 2)
    one, two = await register(mode, "one"), await register(mode, "two")
    (mine,) = await claim(mode, one)
    (theirs,) = await claim(mode, two)
    await mode.write(INTERNAL, lambda work: work.workers.unregister(one))
    assert await statuses(mode) == {mine.item_id: Status.PENDING, theirs.item_id: Status.IN_PROGRESS}
    assert [worker.name for worker in await mode.read(people.root, lambda work: work.workers.all())] == ["two"]
    with pytest.raises(NotFound):
        await mode.write(INTERNAL, lambda work: work.workers.unregister(one))


async def test_a_session_is_saved_while_it_runs(mode: Mode, people: People) -> None:
    """It is what the next attempt goes on from."""
    await enqueue(mode, people.ana)
    worker = await register(mode)
    (item,) = await claim(mode, worker)
    await mode.write(INTERNAL, lambda work: work.dispatch.save(item.lease, '{"id": "half"}'))
    with pytest.raises(InvalidInput):
        await mode.write(INTERNAL, lambda work: work.dispatch.save(item.lease, "{"))
    await mode.write(INTERNAL, lambda work: work.dispatch.release(item.lease))
    (again,) = await claim(mode, worker)
    assert again.session == '{"id": "half"}'


async def test_workers_are_listed_with_what_they_run(mode: Mode, people: People, clock: Ticking) -> None:
    """And forgotten once they are long gone and hold nothing."""
    await enqueue(mode, people.ana)
    worker = await register(mode, "gpu-1", devices=["cuda:0", "cuda:1"], concurrency=2, queue_id="default")
    await claim(mode, worker)
    (found,) = await mode.read(people.root, lambda work: work.workers.all())
    assert (found.name, found.devices, found.concurrency, found.queue_id) == ("gpu-1", ["cuda:0", "cuda:1"], 2, "default")
    assert (found.is_alive, found.running, found.draining) == (True, 1, False)
    clock.pass_by(days=2)
    assert not (await mode.read(people.root, lambda work: work.workers.all()))[0].is_alive
    assert await mode.write(INTERNAL, lambda work: work.workers.forget_expired(86_400)) == 0
    await recover(mode)
    assert await mode.write(INTERNAL, lambda work: work.workers.forget_expired(86_400)) == 1


async def test_an_imported_item_that_ran_is_canceled(mode: Mode, people: People) -> None:
    """Nobody holds it; InvokeAI does the same at its start (contract, section 4.9)."""
    import sqlalchemy as sa

    from tenantry.database.tables import queue_items
    from tenantry.repositories.queue_counts import recount

    await enqueue(mode, people.ana, 2)

    async def as_imported(work: UnitOfWork) -> None:
        change = sa.update(queue_items).where(queue_items.c.item_id == 1)
        await work.ground.connection.execute(change.values(status="in_progress"))
        await recount(work.ground.connection)

    await mode.write(INTERNAL, as_imported)
    assert await recover(mode) == [1]
    assert await statuses(mode) == {1: Status.CANCELED, 2: Status.PENDING}


async def test_tenants_have_no_business_here(mode: Mode, people: People) -> None:
    """Workers act for everybody."""
    lease = Lease(1, "w", 1)
    attempts = (
        lambda work: work.workers.register("w", host="h", process=1),
        lambda work: work.workers.beat("w"),
        lambda work: work.workers.recover_expired(),
        lambda work: work.dispatch.complete(lease),
        lambda work: work.dispatch.save(lease, "{}"),
        lambda work: work.dispatch.suspend(lease, session="{}"),
    )
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            await mode.write(people.ana, attempt)
    assert Suspended(lease=lease, session="{}").after is Status.WAITING
