"""Claims: who is served when, with what, and never twice."""

import asyncio
import json
from collections import Counter

import pytest

from tenantry import Studio
from tenantry.errors import InvalidInput, LeaseLost, NotAllowed, NotFound
from tenantry.queue import Batch, BatchDatum, Limits, Order, Released, Status
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import (
    GRAPH,
    INTERNAL,
    assert_counts_agree,
    batch,
    claim,
    claimed_users,
    complete,
    counted,
    enqueue,
    register,
)


async def test_a_claim_brings_everything_that_running_it_takes(mode: Mode, people: People) -> None:
    """The graph with its values, the session, whose it is, and the lease."""
    made = await enqueue(mode, people.ana, 2, destination="canvas", workflow={"name": "w"})
    worker = await register(mode)
    (item,) = await claim(mode, worker, devices=("cuda:0",))
    assert (item.item_id, item.user_id, item.user_email, item.batch_id) == (
        made.item_ids[0],
        "ana",
        "ana@example.com",
        made.batch_id,
    )
    assert (item.device, item.destination, item.claim_number, item.status_sequence) == ("cuda:0", "canvas", 1, 1)
    assert (item.lease.worker_id, item.lease.attempt) == (worker, 1)
    assert item.graph["nodes"]["noise"]["seed"] == 0
    assert json.loads(item.session)["graph"] == item.graph
    assert json.loads(item.session)["id"] == item.session_id
    assert item.workflow == '{"name":"w"}'
    shown = (await mode.read(people.ana, lambda work: work.queue.get(item.item_id))).item
    assert (shown.status, shown.started_at, shown.session_id) == (Status.IN_PROGRESS, item.started_at, item.session_id)


async def test_users_take_turns(mode: Mode, people: People) -> None:
    """Ana's six do not come before Bo's and Cy's two; within a user the priority and then the age decide."""
    await enqueue(mode, people.ana, 6)
    await enqueue(mode, people.bo, 2)
    await enqueue(mode, people.cy, 2)
    worker = await register(mode)
    assert await claimed_users(mode, worker, 10) == ["ana", "bo", "cy", "ana", "bo", "cy", "ana", "ana", "ana", "ana"]
    assert await claim(mode, worker) == []


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("order", list(Order))
async def test_whoever_is_held_back_holds_nobody_up(mode: Mode, people: People, order: Order, slots: int) -> None:
    """Ana's only item waits for a later time, and it would be her turn."""
    await enqueue(mode, people.ana, prepend=True)
    await enqueue(mode, people.bo, 2)
    worker = await register(mode)
    (item,) = await claim(mode, worker)
    await mode.write(INTERNAL, lambda work: work.dispatch.acknowledge([Released(lease=item.lease, wait=3_600.0)]))
    assert item.user_id == "ana"
    await claim(mode, worker)
    assert [each.user_id for each in await claim(mode, worker, slots, order=order)] == ["bo"]
    assert await claim(mode, worker, slots, order=order) == []


@pytest.mark.parametrize("order", list(Order))
async def test_many_slots_get_what_as_many_claims_would(mode: Mode, people: People, order: Order) -> None:
    """In one transaction, in the same order and with the same numbers."""
    worker = await register(mode)
    for queue_id in ("singly", "at once"):
        await enqueue(mode, people.ana, 3, queue_id=queue_id)
        await enqueue(mode, people.bo, 4, queue_id=queue_id)
        await enqueue(mode, people.ana, 2, queue_id=queue_id, prepend=True)
        await enqueue(mode, people.cy, 1, queue_id=queue_id)
    singly = [item for _ in range(10) for item in await claim(mode, worker, queue_id="singly", order=order)]
    at_once = await claim(mode, worker, 12, queue_id="at once", order=order)
    told = [[(item.user_id, item.priority, item.field_values[0]["value"]) for item in items] for items in (singly, at_once)]
    assert len(told[0]) == 10
    assert told[0] == told[1]
    assert [item.claim_number for item in (*singly, *at_once)] == list(range(1, 21))


async def test_first_come_first_served_knows_no_users(mode: Mode, people: People) -> None:
    """The highest priority, then the oldest (contract, section 4.9)."""
    await enqueue(mode, people.ana, 3)
    await enqueue(mode, people.bo, 1)
    await enqueue(mode, people.cy, 1, prepend=True)
    worker = await register(mode)
    assert await claimed_users(mode, worker, 5, order=Order.FIFO) == ["cy", "ana", "ana", "ana", "bo"]


async def test_round_robin_is_invokeais(mode: Mode, people: People) -> None:
    """Who was started longest ago, and of those who never were, whose item is oldest (contract, section 4.9)."""
    await enqueue(mode, people.bo, 2)
    await enqueue(mode, people.ana, 3)
    await enqueue(mode, people.cy, 2, prepend=True)
    worker = await register(mode)
    assert await claimed_users(mode, worker, 7, order=Order.ROUND_ROBIN) == ["bo", "ana", "cy", "bo", "ana", "cy", "ana"]


async def test_weights_give_more_turns(mode: Mode, people: People) -> None:
    """Set while running, they hold from the next claim on."""
    await enqueue(mode, people.ana, 30)
    await enqueue(mode, people.bo, 30)
    worker = await register(mode)
    assert Counter(await claimed_users(mode, worker, 4)) == {"ana": 2, "bo": 2}
    await mode.write(people.root, lambda work: work.queue_administration.set_for_user("bo", Limits(weight=3)))
    assert Counter(item.user_id for item in await claim(mode, worker, 24)) == {"ana": 6, "bo": 18}


async def test_a_user_runs_no_more_than_allowed(mode: Mode, people: People) -> None:
    """By the default or by an exception, in all queues together; an end makes room for one."""
    await mode.write(people.root, lambda work: work.queue_administration.set_defaults(Limits(max_running=1)))
    await mode.write(people.root, lambda work: work.queue_administration.set_for_user("bo", Limits(max_running=2)))
    for queue_id in ("one", "two"):
        await enqueue(mode, people.ana, 3, queue_id=queue_id)
        await enqueue(mode, people.bo, 3, queue_id=queue_id)
    worker = await register(mode)
    items = await claim(mode, worker, 12)
    assert Counter(item.user_id for item in items) == {"ana": 1, "bo": 2}
    assert await claim(mode, worker) == []
    assert await claim(mode, worker, 5, order=Order.FIFO) == []
    (ana,) = (item for item in items if item.user_id == "ana")
    await complete(mode, ana)
    assert [item.user_id for item in await claim(mode, worker, 12)] == ["ana"]
    await mode.write(people.root, lambda work: work.queue_administration.set_defaults(Limits()))
    assert Counter(item.user_id for item in await claim(mode, worker, 12)) == {"ana": 4}


async def test_a_paused_user_and_a_paused_queue_wait(mode: Mode, people: People) -> None:
    """What runs goes on, and others are served meanwhile."""
    await enqueue(mode, people.ana, 2)
    await enqueue(mode, people.bo, 2, queue_id="other")
    worker = await register(mode)
    await mode.write(people.root, lambda work: work.queue_administration.pause_user("ana"))
    assert await claimed_users(mode, worker, 1) == ["bo"]
    await mode.write(people.root, lambda work: work.queue_administration.pause("other"))
    assert await claim(mode, worker, 4) == []
    assert (await mode.read(people.bo, lambda work: work.queue.status("other"))).paused
    await mode.write(people.root, lambda work: work.queue_administration.pause_user("ana", paused=False))
    assert await claimed_users(mode, worker, 1) == ["ana"]
    await mode.write(people.root, lambda work: work.queue_administration.pause("*"))
    await mode.write(people.root, lambda work: work.queue_administration.resume_queue("other"))
    assert await claim(mode, worker, 4) == []
    await mode.write(people.root, lambda work: work.queue_administration.resume_queue("*"))
    assert Counter(item.user_id for item in await claim(mode, worker, 4)) == {"ana": 1, "bo": 1}


async def test_an_administrator_puts_an_item_first(mode: Mode, people: People) -> None:
    """Before everybody's turn, the last that was put first of all; turns are counted all the same."""
    await enqueue(mode, people.ana, 2)
    made = await enqueue(mode, people.bo, 4)
    await mode.write(people.root, lambda work: work.queue.put_first(made.item_ids[2]))
    await mode.write(people.root, lambda work: work.queue.put_first(made.item_ids[3]))
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.queue.put_first(made.item_ids[1]))
    assert (await mode.read(people.ana, lambda work: work.queue.position(made.item_ids[2]))).ahead == 1
    worker = await register(mode)
    first = await claim(mode, worker, 3)
    assert [item.item_id for item in first] == [made.item_ids[3], made.item_ids[2], 1]
    assert await claimed_users(mode, worker, 3) == ["ana", "bo", "bo"]


async def test_a_claim_is_for_one_queue_or_for_all(mode: Mode, people: People) -> None:
    """Across all, a user who waits in two queues has one turn."""
    await enqueue(mode, people.ana, 2, queue_id="one")
    await enqueue(mode, people.ana, 2, queue_id="two")
    await enqueue(mode, people.bo, 2, queue_id="two")
    worker = await register(mode)
    assert await claimed_users(mode, worker, 4) == ["ana", "bo", "ana", "bo"]
    assert {item.queue_id for item in await claim(mode, worker, 5, queue_id="two")} == {"two"}
    assert await claim(mode, worker, 5, queue_id="one") == []
    assert await claim(mode, worker, 5, queue_id="nowhere") == []


async def test_device_affinity_takes_the_warm_one_nearby(mode: Mode, people: People) -> None:
    """Of the same user and priority, within 32 ids, the one that uses most of the resident models (contract, section 4.9)."""
    models = ["cold"] * 3 + ["warm"] + ["cold"] * 40 + ["warm"]
    datum = BatchDatum(node_path="noise", field_name="seed", items=models)
    made = await mode.write(people.ana, lambda work: work.queue.enqueue(Batch(graph=GRAPH, data=[[datum]])))
    worker = await register(mode)

    async def claim_warm() -> int:
        def resident(device: str) -> set[str]:
            return {"warm"} if device == "cuda:0" else set()

        return (await claim(mode, worker, devices=("cuda:0",), resident_models=resident))[0].item_id

    order = [await claim_warm() for _ in range(3)]
    # The second warm one is too far off, until those before it are gone.
    assert order == [made.item_ids[3], made.item_ids[0], made.item_ids[1]]
    shared = Batch(graph={**GRAPH, "nodes": {**GRAPH["nodes"], "m": {"id": "m", "key": "warm"}}})  # type: ignore[dict-item]
    await mode.write(people.bo, lambda work: work.queue.enqueue(batch()))
    other = await mode.write(people.bo, lambda work: work.queue.enqueue(shared))
    assert other.item_ids[0] in [await claim_warm() for _ in range(2)]


async def test_nothing_is_claimed_twice_and_numbers_are_in_turn(studio: Studio, people: People) -> None:
    """Eight claimers at once, each in a transaction of its own."""
    mode = Mode(studio, "async")
    for who, items in ((people.ana, 60), (people.bo, 30), (people.cy, 30)):
        await enqueue(mode, who, items)
    workers = [await register(mode, f"w{number}") for number in range(8)]
    claimed: list[tuple[int, str, int]] = []

    async def drain(worker: str) -> None:
        while items := await claim(mode, worker, 2):
            claimed.extend((item.claim_number, item.user_id, item.item_id) for item in items)

    await asyncio.gather(*(drain(worker) for worker in workers))
    assert sorted(number for number, _, _ in claimed) == list(range(1, 121))
    assert len({item_id for _, _, item_id in claimed}) == 120
    first = Counter(user for _, user, _ in sorted(claimed)[:90])
    assert first == {"ana": 30, "bo": 30, "cy": 30}
    await assert_counts_agree(mode)


async def test_who_may_not_claim(mode: Mode, people: People, clock: Ticking) -> None:
    """Tenants, workers that nobody knows, workers whose lease has expired, and nobody for no slots."""
    await enqueue(mode, people.ana)
    worker = await register(mode)
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.dispatch.claim(worker))
    with pytest.raises(NotFound):
        await claim(mode, "nobody")
    for slots in (0, 5_001):
        with pytest.raises(InvalidInput):
            await claim(mode, worker, slots)
    clock.pass_by(seconds=31)
    with pytest.raises(LeaseLost):
        await claim(mode, worker)
    assert await counted(mode) == {Status.PENDING: 1}


async def test_what_waits_can_be_asked_without_claiming(mode: Mode, people: People) -> None:
    """A worker looks before it takes the lock."""
    assert not await mode.read(INTERNAL, lambda work: work.dispatch.is_work_waiting())
    await enqueue(mode, people.ana, queue_id="other")
    assert await mode.read(INTERNAL, lambda work: work.dispatch.is_work_waiting())
    assert not await mode.read(INTERNAL, lambda work: work.dispatch.is_work_waiting("default"))
