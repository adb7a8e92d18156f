"""Canceling, deleting, retrying and clearing: by whom, and what it takes along."""

import json

import pytest

from tenantry import Principal
from tenantry.errors import IllegalTransition, LimitReached, NotAllowed, NotFound, QueueFull
from tenantry.queue import Limits, Status, Touched, UnitOfWork, WorkflowCall
from tenantry.queue.changes import ItemChanged, ItemsCanceled, ItemsDeleted, ItemsRetried, QueueCleared
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

PENDING, RUNNING, WAITING = Status.PENDING, Status.IN_PROGRESS, Status.WAITING
COMPLETED, FAILED, CANCELED = Status.COMPLETED, Status.FAILED, Status.CANCELED


async def resume(mode: Mode, item_id: int) -> None:
    await mode.write(INTERNAL, lambda work: work.dispatch.resume(item_id))


async def unregister(mode: Mode, worker: str) -> None:
    await mode.write(INTERNAL, lambda work: work.workers.unregister(worker))


async def call_tree(mode: Mode, who: Principal) -> tuple[int, int, int]:
    """A root that waits for a child that waits for a grandchild, which is pending."""
    made = await enqueue(mode, who)
    worker = await register(mode)
    root = made.item_ids[0]
    (item,) = await claim(mode, worker)
    assert item.item_id == root

    async def call(work: UnitOfWork, parent: int, depth: int) -> int:
        session = json.dumps({"id": f"s-{parent}", "graph": {"nodes": {}}})
        return await work.dispatch.call(
            parent, WorkflowCall(call_id=f"call-{parent}", depth=depth, session_id=f"s-{parent}", session=session)
        )

    await mode.write(INTERNAL, lambda work: work.dispatch.suspend(item.lease, session='{"id": "root"}'))
    child = await mode.write(INTERNAL, lambda work: call(work, root, 1))
    (running,) = await claim(mode, worker)
    assert (running.item_id, running.parent_item_id, running.root_item_id, running.workflow) == (child, root, root, None)
    # Nothing of the batch's template, though it is in its caller's batch.
    assert (running.graph, running.field_values) == ({"nodes": {}}, [])
    await mode.write(INTERNAL, lambda work: work.dispatch.suspend(running.lease, session='{"id": "child"}'))
    grandchild = await mode.write(INTERNAL, lambda work: call(work, child, 2))
    return root, child, grandchild


async def test_an_owner_and_an_administrator_cancel_an_item(mode: Mode, people: People) -> None:
    """Others see it and may not; who cancels what has ended changes nothing."""
    await enqueue(mode, people.ana, 3)
    (running,) = await claim(mode, await register(mode))
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.queue.cancel(2))
    with pytest.raises(NotFound):
        await mode.write(people.bo, lambda work: work.queue.cancel(99))
    assert await mode.write(people.ana, lambda work: work.queue.cancel(2)) == [2]
    assert await mode.write(people.root, lambda work: work.queue.cancel(running.item_id)) == [running.item_id]
    assert await mode.write(people.ana, lambda work: work.queue.cancel(2)) == []
    assert await statuses(mode) == {1: CANCELED, 2: CANCELED, 3: PENDING}
    await assert_counts_agree(mode)


async def test_a_call_tree_is_canceled_and_deleted_whole(mode: Mode, people: People) -> None:
    """Whichever of its items is named."""
    tree = await call_tree(mode, people.ana)
    assert list((await statuses(mode)).values()) == [WAITING, WAITING, PENDING]
    assert await mode.write(people.ana, lambda work: work.queue.cancel(tree[1])) == sorted(tree)
    assert await counted(mode) == {CANCELED: 3}
    await assert_counts_agree(mode)
    other = await call_tree(mode, people.bo)
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.queue.delete(other[2]))
    assert await mode.write(people.bo, lambda work: work.queue.delete(other[2])) == sorted(other)
    assert await counted(mode) == {CANCELED: 3}
    await assert_counts_agree(mode)


async def test_a_called_workflow_returns(mode: Mode, people: People) -> None:
    """What waited for it waits for a worker again, goes on with its session, and is done."""
    root, child, grandchild = await call_tree(mode, people.ana)
    worker = await register(mode)
    (item,) = await claim(mode, worker)
    assert item.item_id == grandchild
    await complete(mode, item)
    for waiting in (child, root):
        await resume(mode, waiting)
        (again,) = await claim(mode, worker)
        assert (again.item_id, again.lease.attempt) == (waiting, 2)
        await complete(mode, again)
    with pytest.raises(IllegalTransition):
        await mode.write(INTERNAL, lambda work: work.dispatch.resume(root))
    call = WorkflowCall(call_id="c", depth=1, session_id="s", session="{}")
    with pytest.raises(IllegalTransition):
        await mode.write(INTERNAL, lambda work: work.dispatch.call(root, call))
    assert await counted(mode) == {COMPLETED: 3}
    await assert_counts_agree(mode)


async def test_the_children_of_a_call_are_canceled_with_what_they_called(mode: Mode, people: People) -> None:
    """The caller is not."""
    root, child, grandchild = await call_tree(mode, people.ana)
    canceled = await mode.write(INTERNAL, lambda work: work.dispatch.cancel_children(f"call-{root}"))
    assert sorted(canceled) == [child, grandchild]
    assert await statuses(mode) == {root: WAITING, child: CANCELED, grandchild: CANCELED}


async def test_a_lost_child_fails_those_that_wait_for_it(mode: Mode, people: People, clock: Ticking) -> None:
    """Once it is not given out again."""
    root, child, grandchild = await call_tree(mode, people.ana)
    for _ in range(3):
        worker = await register(mode)
        assert [item.item_id for item in await claim(mode, worker)] == [grandchild]
        await unregister(mode, worker)
        clock.pass_by(seconds=60)
    assert await statuses(mode) == {root: FAILED, child: FAILED, grandchild: FAILED}
    await assert_counts_agree(mode)


async def test_a_retry_begins_anew(mode: Mode, people: People) -> None:
    """A new item with the same values and an untouched session; the old one stays (contract, section 4.9)."""
    made = await enqueue(mode, people.ana, 3, destination="canvas")
    worker = await register(mode)
    (failed, canceled, done) = await claim(mode, worker, 3)
    await mode.write(INTERNAL, lambda work: work.dispatch.fail(failed.lease, "E", "m", session='{"id": "broken"}'))
    await mode.write(people.ana, lambda work: work.queue.cancel(canceled.item_id))
    await complete(mode, done)
    told: list[object] = []
    mode.studio.listen(told.extend)
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.queue.retry(made.item_ids))
    again = await mode.write(people.ana, lambda work: work.queue.retry([*made.item_ids, made.item_ids[0], 99]))
    assert again == {failed.item_id: 4, canceled.item_id: 5}
    assert told == [ItemsRetried("ana", "default", (1, 2), (4, 5))]
    item = await mode.read(people.ana, lambda work: work.queue.get(4))
    assert (item.item.retried_from_item_id, item.item.status, item.item.status_sequence) == (1, PENDING, 0)
    assert item.item.field_values == [{"node_path": "noise", "field_name": "seed", "value": 0}]
    assert json.loads(item.session or "")["executed"] == []
    await mode.write(people.ana, lambda work: work.queue.cancel(4))
    assert await mode.write(people.ana, lambda work: work.queue.retry([4])) == {4: 6}
    assert (await mode.read(people.ana, lambda work: work.queue.get(6))).item.retried_from_item_id == 1
    await assert_counts_agree(mode)


async def test_a_retry_of_a_child_is_one_of_its_root(mode: Mode, people: People) -> None:
    """And each root is retried once."""
    root, child, grandchild = await call_tree(mode, people.ana)
    await mode.write(people.ana, lambda work: work.queue.cancel(root))
    again = await mode.write(people.ana, lambda work: work.queue.retry([grandchild, child, root]))
    assert list(again) == [root]


async def test_retries_come_in_the_order_they_are_asked_for(mode: Mode, people: People) -> None:
    """Whosever they are, as in InvokeAI; where there is not room for all, for the first."""
    for who in (people.bo, people.ana, people.bo):
        await enqueue(mode, who, 2)
    await mode.write(people.root, lambda work: work.queue.cancel_queue())
    again = await mode.write(people.root, lambda work: work.queue.retry([5, 3, 1, 4]))
    assert list(again.items()) == [(5, 7), (3, 8), (1, 9), (4, 10)]
    await mode.write(people.root, lambda work: work.queue_administration.set_capacity(max_pending=6))
    partly = await mode.write(people.root, lambda work: work.queue.retry([6, 2, 4], partly=True))
    assert list(partly.items()) == [(6, 11), (2, 12)]
    await assert_counts_agree(mode)


async def test_a_retry_keeps_to_the_limits(mode: Mode, people: People) -> None:
    """Nothing is retried in part unless asked."""
    await enqueue(mode, people.ana, 3)
    await mode.write(people.ana, lambda work: work.queue.cancel_queue())
    await mode.write(people.root, lambda work: work.queue_administration.set_capacity(max_pending=2))
    with pytest.raises(QueueFull):
        await mode.write(people.ana, lambda work: work.queue.retry([1, 2, 3]))
    assert await counted(mode) == {CANCELED: 3}
    assert list(await mode.write(people.ana, lambda work: work.queue.retry([1, 2, 3], partly=True))) == [1, 2]
    await mode.write(people.root, lambda work: work.queue_administration.set_for_user("ana", Limits(max_pending=2)))
    await mode.write(people.root, lambda work: work.queue_administration.set_capacity(max_pending=None))
    with pytest.raises(LimitReached):
        await mode.write(people.ana, lambda work: work.queue.retry([3]))
    await assert_counts_agree(mode)


async def test_bulk_changes_of_a_tenant_are_about_their_own(mode: Mode, people: People) -> None:
    """An administrator's about everybody's, or one user's."""
    for who in (people.ana, people.bo):
        await enqueue(mode, who, 2, destination="canvas")
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.queue.cancel_queue(user_id="bo"))
    assert await mode.write(people.ana, lambda work: work.queue.cancel_queue()) == Touched({"ana": [1, 2]})
    assert await mode.write(people.root, lambda work: work.queue.prune(user_id="bo")) == Touched({})
    assert await mode.write(people.root, lambda work: work.queue.cancel_destination("canvas")) == Touched({"bo": [3, 4]})
    with pytest.raises(NotFound):
        await mode.write(people.cy, lambda work: work.queue.cancel_destination("canvas"))
    with pytest.raises(NotFound):
        await mode.write(people.root, lambda work: work.queue.delete_destination("nowhere"))
    assert (await mode.write(people.bo, lambda work: work.queue.prune())).by_owner == {"bo": [3, 4]}
    assert (await mode.write(people.root, lambda work: work.queue.prune())).item_ids == [1, 2]
    assert await counted(mode) == {}
    await assert_counts_agree(mode)


async def test_batches_are_canceled_by_their_ids(mode: Mode, people: People) -> None:
    """What runs is told of one by one, the rest together (contract, section 4.9: bulk cancel)."""
    made = await enqueue(mode, people.ana, 3)
    other = await enqueue(mode, people.bo, 1)
    await claim(mode, await register(mode))
    told: list[object] = []
    mode.studio.listen(told.extend)
    batch_ids = [made.batch_id, other.batch_id, "unknown"]
    touched = await mode.write(people.ana, lambda work: work.queue.cancel_batches(batch_ids))
    assert touched.by_owner == {"ana": [1, 2, 3]}
    assert [each for each in told if isinstance(each, ItemsCanceled)] == [ItemsCanceled("ana", "default", (2, 3))]
    assert [(each.item_id, each.after) for each in told if isinstance(each, ItemChanged)] == [(1, CANCELED)]
    assert (await statuses(mode))[4] is PENDING


async def test_all_but_the_current_goes(mode: Mode, people: People) -> None:
    """What runs keeps its whole call tree."""
    root, child, grandchild = await call_tree(mode, people.ana)
    await enqueue(mode, people.ana, 2)
    # Nothing runs: the child that runs next keeps those that wait for it.
    assert (await mode.write(people.ana, lambda work: work.queue.cancel_all_except_current())).item_ids == [4, 5]
    assert await statuses(mode, [root, child, grandchild]) == {root: WAITING, child: WAITING, grandchild: PENDING}
    await enqueue(mode, people.bo, 2)
    (item,) = await claim(mode, await register(mode))
    touched = await mode.write(people.root, lambda work: work.queue.delete_all_except_current())
    left = set(await statuses(mode))
    assert item.item_id in left
    assert touched.item_ids == [each for each in range(1, 8) if each not in left]
    await assert_counts_agree(mode)


async def test_clearing_takes_everything(mode: Mode, people: People) -> None:
    """Also what runs, which is canceled first; everybody is told, or the one user."""
    await enqueue(mode, people.ana, 2)
    await enqueue(mode, people.bo, 2)
    await claim(mode, await register(mode), 2)
    told: list[object] = []
    mode.studio.listen(told.extend)
    assert (await mode.write(people.ana, lambda work: work.queue.clear())).by_owner == {"ana": [1, 2]}
    assert [type(each) for each in told] == [ItemChanged, ItemsDeleted, QueueCleared]
    assert told[-1] == QueueCleared("ana", "default", everybody=False)
    assert (await mode.write(people.root, lambda work: work.queue.clear())).by_owner == {"bo": [3, 4]}
    assert told[-1] == QueueCleared("root", "default", everybody=True)
    made = await enqueue(mode, people.ana)
    assert made.item_ids == (5,), "an item's number is never given again"
    await assert_counts_agree(mode)


async def test_items_are_deleted_by_their_ids(mode: Mode, people: People) -> None:
    """Others' count for nothing."""
    await enqueue(mode, people.ana, 2)
    await enqueue(mode, people.bo, 1)
    assert (await mode.write(people.ana, lambda work: work.queue.delete_items([1, 3, 99]))).by_owner == {"ana": [1]}
    assert set(await statuses(mode)) == {2, 3}


async def test_only_what_waits_is_put_first(mode: Mode, people: People) -> None:
    """An item that has ended, or is not there, is refused."""
    await enqueue(mode, people.ana)
    await mode.write(people.ana, lambda work: work.queue.cancel(1))
    with pytest.raises(IllegalTransition):
        await mode.write(people.root, lambda work: work.queue.put_first(1))
    with pytest.raises(NotFound):
        await mode.write(people.root, lambda work: work.queue.put_first(99))
