"""How the queue is attacked. Everybody sees that there are items; what they are and whose is nobody else's to know."""

from contextlib import suppress

import pytest

from tenantry.errors import Conflict, NotFound
from tenantry.queue import (
    Batch,
    Completed,
    ItemFilter,
    Lease,
    Limits,
    Order,
    QueueItem,
    Status,
    Touched,
    UnitOfWork,
    WorkflowCall,
)
from tests.integration.isolation.plan_kinds import Attack, Outcome, Plan, on_board, on_item, own, privileged
from tests.integration.isolation.world import OWNER, STRANGER, Target

NOT_ALLOWED, NOT_FOUND, SUCCESS, EMPTY = Outcome.NOT_ALLOWED, Outcome.NOT_FOUND, Outcome.SUCCESS, Outcome.EMPTY
CALL = WorkflowCall(call_id="c", depth=1, session_id="s", session='{"id": "s"}')


def _hers(attack: Attack) -> Plan:
    """For what is hers alone to ask about, by an id of hers; what is shown of her boards plays no part."""
    return Plan(attack, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, SUCCESS)


BATCH, DESTINATION, KEY = "hidden-batch-hidden", "hidden-destination", "hidden-key-hidden"
"""Of hers, all of it hidden, whatever her boards show."""

OWN_BATCH = "own-bo-batch-own-bo"
"""The stranger's own."""

GRAPH: dict[str, object] = {"nodes": {}}


def _lease(target: Target) -> Lease:
    return Lease(target.items["in_progress"], "worker-1", 1)


async def _enqueue(work: UnitOfWork, target: Target) -> object:
    """Onto her board; and with her key and her batch's id, which must tell nothing of hers."""
    if work.principal != OWNER:
        made = await work.queue.enqueue(Batch(graph=GRAPH), idempotency_key=KEY)
        assert made.user_id == work.principal.user_id, "her key gave her result"
        assert not set(made.item_ids) & set(target.items.values()), "her key gave her items"
    with pytest.raises(Conflict) as taken:
        await work.queue.enqueue(Batch(graph=GRAPH, batch_id=BATCH))
    assert "hidden" not in f"{taken.value} {vars(taken.value)}"
    return (await work.queue.enqueue(Batch(graph=GRAPH, board_id=target.board))).enqueued


async def _slices(work: UnitOfWork, target: Target) -> object:
    """What everybody sees; and what only she may ask for, which must not even say how many items there are."""
    everybody = [item for status in (None, "failed") for item in await _found(work, ItemFilter(status=status))]
    betraying = [
        ItemFilter(user_id=target.owner),
        ItemFilter(batch_id=BATCH),
        ItemFilter(destination=DESTINATION),
        ItemFilter(origin="hidden-origin"),
        ItemFilter(error="hidden"),
        ItemFilter(error="", status="failed"),
        ItemFilter(destination=DESTINATION, status="pending"),
    ]
    for each in betraying:
        assert await _found(work, each) == [], f"{each} finds what is somebody else's"
    return everybody


async def _found(work: UnitOfWork, only: ItemFilter) -> list[QueueItem]:
    """The items of others that a filter leaves."""
    found = await work.queue.slice(only=only)
    return [item for item in found.items if item.user_id != work.principal.user_id]


async def _details(work: UnitOfWork, target: Target) -> object:
    found = [await work.queue.get(item_id) for item_id in await work.queue.item_ids()]
    return [detail for detail in found if detail.item.user_id != work.principal.user_id]


async def _many(work: UnitOfWork, target: Target) -> object:
    found = await work.queue.many(await work.queue.item_ids())
    return [item for item in found if item.user_id != work.principal.user_id]


async def _whole(work: UnitOfWork, target: Target) -> object:
    found = await work.queue.details(await work.queue.ids_by_priority())
    return [detail for detail in found if detail.item.user_id != work.principal.user_id]


async def _ids_of_hers(work: UnitOfWork, target: Target) -> object:
    return await work.queue.item_ids(user_id=target.owner)


async def _delete_hers(work: UnitOfWork, target: Target) -> object:
    return await work.queue.delete_items(list(target.items.values()))


async def _cancel_hers(work: UnitOfWork, target: Target) -> object:
    """Together with the stranger's own, which he may."""
    touched = await work.queue.cancel_batches([BATCH, OWN_BATCH])
    if work.principal == STRANGER:
        assert touched.by_owner.pop(STRANGER.user_id)
    return touched


async def _to_hidden_destination(work: UnitOfWork, method: str) -> object:
    return (await getattr(work.queue, method)(DESTINATION)).total


async def _statistics(work: UnitOfWork, target: Target) -> object:
    return await work.queue_administration.statistics()


async def _own_limits(work: UnitOfWork, target: Target) -> object:
    with suppress(NotFound):
        await work.queue_administration.of_user(target.owner)
        if work.principal.user_id != target.owner and not work.principal.sees_everything:
            return "hidden: somebody's limits were shown"
    return await work.queue_administration.of_user(work.principal.user_id)


async def _defaults(work: UnitOfWork, target: Target) -> object:
    return await work.queue_administration.defaults()


async def _beat(work: UnitOfWork, target: Target) -> object:
    return await work.workers.beat("worker-1")


def _bulk(method: str) -> Plan:
    """Of one's own it may be done, of hers by her id it may not."""

    async def attack(work: UnitOfWork, target: Target) -> object:
        touched: Touched = await getattr(work.queue, method)()
        assert set(touched.by_owner) <= {work.principal.user_id}, "others' items were touched"
        return await getattr(work.queue, method)(user_id=target.owner)

    return on_item(attack)


_ITEMS: dict[str, Plan] = {
    "queue.enqueue": on_board(_enqueue, reader=NOT_ALLOWED),
    "queue.get": own(_details),
    "queue.many": own(_many),
    "queue.details": own(_whole),
    "queue.ids_by_priority": own(lambda work, target: work.queue.ids_by_priority(destination=DESTINATION), EMPTY),
    "queue.slice": own(_slices),
    "queue.item_ids": own(_ids_of_hers, EMPTY),
    "queue.next_item": own(lambda work, target: work.queue.next_item()),
    "queue.current_item": own(lambda work, target: work.queue.current_item()),
    "queue.status": own(lambda work, target: work.queue.status()),
    "queue.is_empty": own(lambda work, target: work.queue.is_empty()),
    "queue.position": own(lambda work, target: work.queue.position(target.items["pending"])),
    "queue.batch_status": _hers(lambda work, target: work.queue.batch_status(BATCH)),
    "queue.destination_counts": own(lambda work, target: work.queue.destination_counts(DESTINATION), EMPTY),
    "queue.cancel": on_item(lambda work, target: work.queue.cancel(target.items["pending"])),
    "queue.delete": on_item(lambda work, target: work.queue.delete(target.items["completed"])),
    "queue.retry": on_item(lambda work, target: work.queue.retry([target.items["failed"]])),
    "queue.put_first": privileged(lambda work, target: work.queue.put_first(target.items["pending"])),
    "queue.cancel_batches": own(_cancel_hers, EMPTY),
    "queue.delete_items": own(_delete_hers, EMPTY),
    "queue.cancel_destination": _hers(lambda work, target: _to_hidden_destination(work, "cancel_destination")),
    "queue.delete_destination": _hers(lambda work, target: _to_hidden_destination(work, "delete_destination")),
    **{
        f"queue.{method}": _bulk(method)
        for method in ("cancel_queue", "cancel_all_except_current", "delete_all_except_current", "clear", "prune")
    },
}
_DISPATCH: dict[str, Plan] = {
    "dispatch.claim": privileged(lambda work, target: work.dispatch.claim("worker-1", order=Order.FIFO)),
    "dispatch.is_work_waiting": privileged(lambda work, target: work.dispatch.is_work_waiting()),
    "dispatch.acknowledge": privileged(lambda work, target: work.dispatch.acknowledge([Completed(lease=_lease(target))])),
    "dispatch.become": privileged(lambda work, target: work.dispatch.become(target.items["pending"], Status.FAILED)),
    "dispatch.call": privileged(lambda work, target: work.dispatch.call(target.items["in_progress"], CALL)),
    "dispatch.cancel_children": privileged(lambda work, target: work.dispatch.cancel_children("hidden-call")),
    "dispatch.complete": privileged(lambda work, target: work.dispatch.complete(_lease(target))),
    "dispatch.fail": privileged(lambda work, target: work.dispatch.fail(_lease(target), "E", "m")),
    "dispatch.release": privileged(lambda work, target: work.dispatch.release(_lease(target))),
    "dispatch.save": privileged(lambda work, target: work.dispatch.save(_lease(target), "{}")),
    "dispatch.suspend": privileged(lambda work, target: work.dispatch.suspend(_lease(target), session="{}")),
    "dispatch.resume": privileged(lambda work, target: work.dispatch.resume(target.items["waiting"])),
}
_WORKERS: dict[str, Plan] = {
    "workers.register": privileged(lambda work, target: work.workers.register("w", host="h", process=1)),
    "workers.beat": privileged(_beat),
    "workers.held": privileged(lambda work, target: work.workers.held("worker-1")),
    "workers.unregister": privileged(lambda work, target: work.workers.unregister("worker-1")),
    "workers.drain": privileged(lambda work, target: work.workers.drain("worker-1")),
    "workers.all": privileged(lambda work, target: work.workers.all()),
    "workers.recover_expired": privileged(lambda work, target: work.workers.recover_expired()),
    "workers.forget_expired": privileged(lambda work, target: work.workers.forget_expired(0)),
}
_ADMINISTRATION: dict[str, Plan] = {
    "queue_administration.defaults": own(_defaults),
    "queue_administration.of_user": own(_own_limits),
    "queue_administration.set_defaults": privileged(lambda work, target: work.queue_administration.set_defaults(Limits())),
    "queue_administration.set_for_user": privileged(
        lambda work, target: work.queue_administration.set_for_user(target.owner, Limits(weight=2))
    ),
    "queue_administration.pause": privileged(lambda work, target: work.queue_administration.pause()),
    "queue_administration.resume_queue": privileged(lambda work, target: work.queue_administration.resume_queue()),
    "queue_administration.pause_user": privileged(lambda work, target: work.queue_administration.pause_user(target.owner)),
    "queue_administration.set_history": privileged(lambda work, target: work.queue_administration.set_history(keep_items=0)),
    "queue_administration.set_capacity": privileged(lambda work, target: work.queue_administration.set_capacity(max_pending=1)),
    "queue_administration.sweep": privileged(lambda work, target: work.queue_administration.sweep()),
    "queue_administration.keep_newest": privileged(lambda work, target: work.queue_administration.keep_newest("default", 0)),
    "queue_administration.settings": privileged(lambda work, target: work.queue_administration.settings()),
    "queue_administration.statistics": privileged(_statistics),
}

PLANS: dict[str, Plan] = {**_ITEMS, **_DISPATCH, **_WORKERS, **_ADMINISTRATION}
