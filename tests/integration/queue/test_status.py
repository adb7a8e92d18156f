"""How the queue goes, as everybody may know it: counts, lists, places in the line, and statistics for administrators."""

from datetime import timedelta

import pytest

from tenantry import Principal
from tenantry.errors import IllegalTransition, InvalidCursor, InvalidInput, NotAllowed, NotFound
from tenantry.queue import Counts, ItemFilter, Order, Status
from tenantry.tenancy.redaction import PUBLIC_QUEUE_COLUMNS
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import INTERNAL, claim, complete, enqueue, register, statuses


async def test_everybody_sees_how_busy_it_is_and_only_their_own(mode: Mode, people: People) -> None:
    """The item that runs is redacted for whom it does not belong to."""
    await enqueue(mode, people.ana, 3)
    await enqueue(mode, people.bo, 1)
    worker = await register(mode)
    (running,) = await claim(mode, worker)
    seen = await mode.read(people.bo, lambda work: work.queue.status())
    assert seen.everybody == Counts(pending=3, in_progress=1)
    assert (seen.own, seen.everybody.total, seen.paused) == (Counts(pending=1), 4, False)
    assert seen.current is not None
    kept = {name for name in seen.current.__slots__ if getattr(seen.current, name) is not None}
    assert kept <= PUBLIC_QUEUE_COLUMNS | {"is_redacted"}
    assert seen.current.is_redacted
    mine = await mode.read(people.ana, lambda work: work.queue.status())
    assert mine.current is not None
    assert mine.current.session_id == running.session_id
    assert (await mode.read(people.ana, lambda work: work.queue.status("other"))).everybody == Counts()
    assert await mode.read(people.ana, lambda work: work.queue.is_empty("other"))
    await complete(mode, running)
    done = await mode.read(people.ana, lambda work: work.queue.status())
    assert (done.current, done.own.completed, done.own.finished) == (None, 1, 1)


async def test_a_batch_and_a_destination_are_their_owners_to_ask_about(mode: Mode, people: People) -> None:
    """A stranger's counts of a destination are zero, and there is no such batch."""
    made = await enqueue(mode, people.ana, 2, destination="canvas", origin="ui")
    await enqueue(mode, people.bo, 1, destination="canvas")
    await enqueue(mode, people.ana, 1)
    status = await mode.read(people.ana, lambda work: work.queue.batch_status(made.batch_id))
    assert (status.counts, status.destination, status.origin) == (Counts(pending=2), "canvas", "ui")
    with pytest.raises(NotFound):
        await mode.read(people.bo, lambda work: work.queue.batch_status(made.batch_id))
    for who, number in ((people.ana, 2), (people.bo, 1), (people.cy, 0), (people.root, 3)):
        assert (await mode.read(who, lambda work: work.queue.destination_counts("canvas"))).pending == number


async def test_lists_are_walked_from_the_newest(mode: Mode, people: People) -> None:
    """Each item comes once, whatever is filtered for; a cursor fits its list only."""
    made = await enqueue(mode, people.ana, 3, destination="canvas")
    await enqueue(mode, people.bo, 2)
    await mode.write(people.bo, lambda work: work.queue.cancel(4))
    first = await mode.read(people.cy, lambda work: work.queue.slice(limit=3))
    rest = await mode.read(people.cy, lambda work: work.queue.slice(limit=3, cursor=first.next_cursor))
    assert [item.item_id for item in [*first.items, *rest.items]] == [5, 4, 3, 2, 1]
    assert rest.next_cursor is None
    with pytest.raises(InvalidCursor):
        await mode.read(people.cy, lambda work: work.queue.slice(only=ItemFilter(status="pending"), cursor=first.next_cursor))
    with pytest.raises(InvalidInput):
        await mode.read(people.cy, lambda work: work.queue.slice(only=ItemFilter(status="lost")))

    async def ids(who: Principal, **only: str) -> list[int]:
        found = await mode.read(who, lambda work: work.queue.slice(only=ItemFilter(**only)))
        return [item.item_id for item in found.items]

    assert await ids(people.cy, status="canceled") == [4]
    assert await ids(people.cy, destination="canvas") == []
    assert await ids(people.cy, user_id="ana") == []
    assert await ids(people.ana, destination="canvas") == [3, 2, 1]
    assert await ids(people.ana, batch_id=made.batch_id, status="pending") == [3, 2, 1]
    assert await ids(people.root, user_id="bo") == [5, 4]
    assert await ids(people.root, destination="canvas", created_before="2020-01-01") == []


async def test_failures_are_found_by_their_text(mode: Mode, people: People) -> None:
    """In any case of letters; a stranger's are not."""
    await enqueue(mode, people.ana, 2)
    items = await claim(mode, await register(mode), 2)
    await mode.write(INTERNAL, lambda work: work.dispatch.fail(items[0].lease, "OutOfMemoryError", "CUDA is full"))
    await mode.write(INTERNAL, lambda work: work.dispatch.fail(items[1].lease, "ValueError", "100% wrong"))

    async def number(who: Principal, text: str) -> int:
        return len((await mode.read(who, lambda work: work.queue.slice(only=ItemFilter(error=text)))).items)

    assert await number(people.root, "outofmemory") == 1
    assert await number(people.ana, "cuda") == 1
    assert await number(people.ana, "%") == 1
    assert await number(people.bo, "cuda") == 0


async def test_ids_and_items_by_their_ids(mode: Mode, people: People) -> None:
    """In the order, and as often, as they are named; ids are everybody's, content is not."""
    await enqueue(mode, people.ana, 3)
    await enqueue(mode, people.bo, 2)
    assert await mode.read(people.cy, lambda work: work.queue.item_ids()) == [5, 4, 3, 2, 1]
    assert await mode.read(people.ana, lambda work: work.queue.item_ids(user_id="ana", descending=False)) == [1, 2, 3]
    assert await mode.read(people.ana, lambda work: work.queue.item_ids(user_id="bo")) == []
    assert await mode.read(people.root, lambda work: work.queue.item_ids(user_id="bo", limit=1)) == [5]
    found = await mode.read(people.ana, lambda work: work.queue.many([4, 1, 99, 1]))
    assert [(item.item_id, item.is_redacted) for item in found] == [(4, True), (1, False), (1, False)]
    assert await mode.read(people.ana, lambda work: work.queue.many([1], "other")) == []
    following = await mode.read(people.ana, lambda work: work.queue.next_item())
    assert following is not None
    assert following.item_id == 1


async def test_items_with_their_documents_in_the_order_of_their_priority(mode: Mode, people: People) -> None:
    """Everybody's, redacted; those for a destination are one's own, but for administrators."""
    made = await enqueue(mode, people.ana, 2, destination="canvas")
    await enqueue(mode, people.bo, 1, prepend=True)
    await enqueue(mode, people.bo, 1, destination="canvas", queue_id="other")
    assert await mode.read(people.ana, lambda work: work.queue.ids_by_priority()) == [3, 1, 2]
    for who, ids in ((people.ana, [1, 2]), (people.bo, []), (people.root, [1, 2])):
        found = await mode.read(who, lambda work: work.queue.ids_by_priority(destination="canvas"))
        assert found == ids
    details = await mode.read(people.ana, lambda work: work.queue.details([3, 1, 99, 4]))
    assert [(each.item.item_id, each.item.is_redacted) for each in details] == [(3, True), (1, False)]
    assert (details[0].session, details[0].workflow) == (None, None)
    assert details[1] == await mode.read(people.ana, lambda work: work.queue.get(made.item_ids[0]))


@pytest.mark.parametrize("order", list(Order))
async def test_the_place_in_the_line_is_when_it_comes(mode: Mode, people: People, order: Order) -> None:
    """For every waiting item of three users, after some were served."""
    await enqueue(mode, people.ana, 5)
    await enqueue(mode, people.bo, 3)
    worker = await register(mode)
    await claim(mode, worker, 3, order=order)
    await enqueue(mode, people.cy, 2)
    await enqueue(mode, people.bo, 1, prepend=True)
    waiting = [item for item, status in (await statuses(mode)).items() if status is Status.PENDING]

    async def place(item_id: int) -> int:
        return (await mode.read(people.cy, lambda work: work.queue.position(item_id, order=order))).ahead

    places = {item_id: await place(item_id) for item_id in waiting}
    claimed = [item.item_id for item in await claim(mode, worker, 20, order=order)]
    assert places == {item_id: place for place, item_id in enumerate(claimed)}
    with pytest.raises(IllegalTransition):
        await mode.read(people.cy, lambda work: work.queue.position(claimed[0]))
    with pytest.raises(NotFound):
        await mode.read(people.cy, lambda work: work.queue.position(99))


async def test_a_wait_is_judged_by_the_last_durations_and_the_workers(mode: Mode, people: People, clock: Ticking) -> None:
    """Nothing tells before something has run, or where nobody works."""
    await enqueue(mode, people.ana, 12)
    assert (await mode.read(people.ana, lambda work: work.queue.position(12))).seconds is None
    worker = await register(mode, concurrency=2)
    items = await claim(mode, worker, 2)
    clock.pass_by(seconds=10)
    await complete(mode, *items)
    place = await mode.read(people.ana, lambda work: work.queue.position(12))
    assert place.ahead == 9
    assert place.seconds == pytest.approx((9 + 1 - 2) * 10 / 2, abs=0.5)
    assert (await mode.read(people.ana, lambda work: work.queue.position(3))).seconds == 0


async def test_statistics_tell_administrators_how_fair_it_was(mode: Mode, people: People, clock: Ticking) -> None:
    """By user, over a window; tenants do not see them."""
    await enqueue(mode, people.ana, 3)
    await enqueue(mode, people.bo, 1)
    worker = await register(mode)
    for seconds in (30, 10):
        (item,) = await claim(mode, worker)
        clock.pass_by(seconds=seconds / 2)
        await mode.write(INTERNAL, lambda work: work.workers.beat(worker))
        clock.pass_by(seconds=seconds / 2)
        await complete(mode, item)
    with pytest.raises(NotAllowed):
        await mode.read(people.ana, lambda work: work.queue_administration.statistics())
    found = await mode.read(people.root, lambda work: work.queue_administration.statistics())
    ana, bo = found.users
    assert (ana.user_id, ana.counts, bo.counts) == ("ana", Counts(pending=2, completed=1), Counts(completed=1))
    assert ana.gpu_seconds == pytest.approx(30, abs=0.1)
    assert ana.share == pytest.approx(0.75, abs=0.01)
    assert ana.share + bo.share == pytest.approx(1)
    assert bo.wait_p50 == pytest.approx(30, abs=0.1)
    assert (ana.oldest_waiting is None, bo.oldest_waiting) == (False, None)
    assert found.fairness == pytest.approx(40**2 / (2 * (30**2 + 10**2)), abs=0.01)
    later = timedelta(seconds=1)
    clock.pass_by(days=1)
    none = await mode.read(people.root, lambda work: work.queue_administration.statistics(window=later))
    assert (none.fairness, [user.finished_in_window for user in none.users]) == (None, [0, 0])
