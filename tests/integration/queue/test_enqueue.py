"""Enqueueing: what a batch becomes, and that it is all or nothing."""

import asyncio
import json
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Studio
from tenantry.database.tables import batches, queue_items
from tenantry.errors import Conflict, InvalidBatch, InvalidInput, NotAllowed, NotFound, QueueFull, TenantryError
from tenantry.queue import Batch, BatchDatum, QueueRules, Status, UnitOfWork
from tenantry.queue.changes import BatchEnqueued
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import GRAPH, INTERNAL, assert_counts_agree, batch, claim, counted, enqueue, register


async def rows(mode: Mode, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    async def read(work: UnitOfWork) -> list[sa.Row[tuple[object, ...]]]:
        return list(await work.ground.connection.fetch_all(sa.select(table)))

    return await mode.read(INTERNAL, read)


async def test_items_hold_only_what_they_differ_in(mode: Mode, people: People) -> None:
    """The graph is stored once; an item's session is put together when it is read."""
    made = await enqueue(mode, people.ana, 3, destination="canvas", origin="ui", workflow={"name": "w"})
    assert (made.enqueued, made.requested, made.priority, len(made.item_ids)) == (3, 3, 0, 3)
    stored = await rows(mode, queue_items)
    assert [(row.field_values, row.session, row.workflow, row.session_id) for row in stored] == [
        (f"[{seed}]", None, None, None) for seed in range(3)
    ]
    assert len(await rows(mode, batches)) == 1
    detail = await mode.read(people.ana, lambda work: work.queue.get(made.item_ids[1]))
    item = detail.item
    assert (item.destination, item.origin, item.batch_id, item.status) == ("canvas", "ui", made.batch_id, Status.PENDING)
    assert item.field_values == [{"node_path": "noise", "field_name": "seed", "value": 1}]
    session = json.loads(detail.session or "")
    assert session["id"] == item.session_id
    assert session["graph"]["nodes"]["noise"]["seed"] == 1
    assert json.loads(detail.workflow or "") == {"name": "w"}


async def test_items_are_queued_in_the_order_of_the_batch(mode: Mode, people: People) -> None:
    """Also a batch that is written in several steps."""
    made = await enqueue(mode, people.ana, 4_500)
    assert list(made.item_ids) == sorted(made.item_ids)
    stored = {row.item_id: row.field_values for row in await rows(mode, queue_items)}
    assert [stored[item_id] for item_id in made.item_ids] == [f"[{seed}]" for seed in range(4_500)]
    await assert_counts_agree(mode)


async def test_text_of_any_kind_comes_back_as_it_was(mode: Mode, people: People) -> None:
    """Quotes, emoji, brackets, and numbers that JSON has."""
    values = ['a "quoted" \\ text', "Füchse \N{FOX FACE}", "[1]", "null"]
    datum = BatchDatum(node_path="noise", field_name="seed", items=values)
    made = await mode.write(people.ana, lambda work: work.queue.enqueue(Batch(graph=GRAPH, data=[[datum]])))
    found = await mode.read(people.ana, lambda work: work.queue.many(made.item_ids))
    assert [item.field_values[0]["value"] for item in found if item.field_values] == values


async def test_prepended_items_come_first(mode: Mode, people: People) -> None:
    """Their priority is above all that waits (contract, section 4.9)."""
    first = await enqueue(mode, people.ana)
    second = await enqueue(mode, people.ana, prepend=True)
    third = await enqueue(mode, people.bo, prepend=True)
    assert (first.priority, second.priority, third.priority) == (0, 1, 2)
    worker = await register(mode)
    assert [item.item_id for item in await claim(mode, worker, 3)] == [second.item_ids[0], third.item_ids[0], first.item_ids[0]]


async def test_a_batch_id_is_used_once(mode: Mode, people: People) -> None:
    """Neither its owner nor anybody else uses it again; the error does not say whose it is."""
    await enqueue(mode, people.ana, batch_id="b-1")
    messages = set()
    for who in (people.ana, people.bo):
        with pytest.raises(Conflict) as refused:
            await enqueue(mode, who, batch_id="b-1")
        messages.add(str(refused.value))
    assert len(messages) == 1
    assert await counted(mode) == {Status.PENDING: 1}
    await assert_counts_agree(mode)


async def test_a_key_makes_a_request_count_once(mode: Mode, people: People) -> None:
    """The answer of the first comes again, also after its items have run; keys are each user's own."""
    first = await enqueue(mode, people.ana, 2, idempotency_key="k")
    assert await enqueue(mode, people.ana, 2, idempotency_key="k") == first
    await claim(mode, await register(mode), 2)
    assert await enqueue(mode, people.ana, 2, idempotency_key="k") == first
    other = await enqueue(mode, people.bo, 2, idempotency_key="k")
    assert other.batch_id != first.batch_id
    with pytest.raises(Conflict, match="another request"):
        await enqueue(mode, people.ana, 3, idempotency_key="k")
    assert sum((await counted(mode)).values()) == 4


async def test_a_full_queue_takes_all_or_nothing(mode: Mode, people: People) -> None:
    """Unless a part of it is asked for, as InvokeAI does."""
    await mode.write(people.root, lambda work: work.queue_administration.set_capacity(max_pending=5))
    await enqueue(mode, people.ana, 3)
    with pytest.raises(QueueFull) as refused:
        await enqueue(mode, people.bo, 3)
    assert (refused.value.allowed, refused.value.limit) == (5, "queue_max_pending")
    assert await counted(mode) == {Status.PENDING: 3}
    part = await enqueue(mode, people.bo, 3, partly=True)
    assert (part.enqueued, part.requested, len(part.item_ids)) == (2, 3, 2)
    none = await enqueue(mode, people.cy, 3, partly=True)
    assert (none.enqueued, none.requested, none.item_ids) == (0, 3, ())
    # What runs does not count.
    await claim(mode, await register(mode), 2)
    assert (await enqueue(mode, people.cy, 2)).enqueued == 2
    await assert_counts_agree(mode)


async def test_many_at_once_never_exceed_the_capacity(studio: Studio, people: People) -> None:
    """The check and the insert are one transaction (InvokeAI lets 600 items into a limit of 100)."""
    async with studio.begin(people.root) as work:
        await work.queue_administration.set_capacity(max_pending=100)

    async def one(who: int) -> int:
        try:
            async with studio.begin((people.ana, people.bo, people.cy)[who % 3]) as work:
                return (await work.queue.enqueue(batch(30))).enqueued
        except QueueFull:
            return 0

    assert sum(await asyncio.gather(*(one(number) for number in range(12)))) == 90
    mode = Mode(studio, "async")
    assert await counted(mode) == {Status.PENDING: 90}
    await assert_counts_agree(mode)


async def test_results_may_only_go_to_a_board_that_one_may_write(mode: Mode, people: People) -> None:
    """A board that one may not see is not there."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    made = await enqueue(mode, people.ana, board_id=board.board_id)
    assert (await mode.read(people.ana, lambda work: work.queue.get(made.item_ids[0]))).item.board_id == board.board_id
    with pytest.raises(NotFound):
        await enqueue(mode, people.bo, board_id=board.board_id)
    await mode.write(people.ana, lambda work: work.boards.update(board.board_id, visibility="shared"))
    with pytest.raises(NotAllowed):
        await enqueue(mode, people.bo, board_id=board.board_id)
    await mode.write(people.ana, lambda work: work.boards.update(board.board_id, visibility="public"))
    assert (await enqueue(mode, people.bo, board_id=board.board_id)).enqueued == 1


async def test_what_is_queued_is_told_after_the_commit_and_only_then(mode: Mode, people: People) -> None:
    """A unit of work that fails tells nothing."""
    told: list[object] = []
    stop = mode.studio.listen(lambda changes: told.extend(changes))
    made = await enqueue(mode, people.ana, 2, origin="ui")
    assert told == [BatchEnqueued("ana", "default", made.batch_id, 2, 2, 0, "ui")]

    async def fail(work: UnitOfWork) -> None:
        await work.queue.enqueue(batch())
        raise Conflict("taken")

    with pytest.raises(Conflict):
        await mode.write(people.ana, fail)
    stop()
    await enqueue(mode, people.ana)
    assert len(told) == 1


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a queue without a name": ({"queue_id": " "}, "queue_id"),
    "the name of all queues": ({"queue_id": "*"}, "queue_id"),
    "an empty product": ({"items": 0}, "data"),
    "a batch above the limit": ({"items": 101}, "data"),
    "a graph above the limit": ({"workflow": {"text": "x" * 3_000}}, "workflow"),
    "a NUL byte": ({"workflow": {"text": "a\0b"}}, "workflow"),
    "what JSON has not": ({"workflow": {"number": float("nan")}}, "workflow"),
    "a broken character": ({"workflow": {"text": "\ud800"}}, "workflow"),
    "a key that is too long": ({"idempotency_key": "k" * 300}, "idempotency_key"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_changes_nothing(studio: Studio, people: People, case: str) -> None:
    """Each is named by its field."""
    given, field = BAD[case]
    studio.queue_rules = QueueRules(max_batch_items=100, max_document_bytes=2_000)
    mode = Mode(studio, "async")
    more = dict(given)
    with pytest.raises(InvalidInput) as refused:
        await enqueue(mode, people.ana, more.pop("items", 1), **more)
    assert refused.value.field == field
    assert await rows(mode, batches) == []
    assert await rows(mode, queue_items) == []


async def test_errors_are_of_one_family(mode: Mode, people: People) -> None:
    """Whoever catches Tenantry's errors catches these."""
    assert issubclass(InvalidBatch, InvalidInput)
    assert issubclass(QueueFull, TenantryError)
