"""What cannot be queued, asked or done over HTTP: each refusal is a problem that says which part it is, and changes nothing."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry.database.tables import queue_items
from tenantry.queue import Limits
from tenantry.settings import Settings
from tenantry.tenancy import Principal
from tests.acceptance.conftest import World, served
from tests.acceptance.test_bad_input import assert_problem
from tests.acceptance.test_media import answer
from tests.acceptance.test_odd_rows import DEEP, store
from tests.acceptance.test_queue_api import GRAPH, claim, enqueue, seeds

ENQUEUE = "/api/v1/queue/default/enqueue_batch"


def _datum(items: Any, *, node: str = "noise", field: str = "seed") -> dict[str, Any]:
    return {"node_path": node, "field_name": field, "items": items}


@pytest.mark.parametrize(
    ("batch", "code", "field"),
    [
        ({}, "invalid_input", "body.batch.graph"),
        ({"graph": []}, "invalid_input", "body.batch.graph"),
        ({"graph": {}}, "invalid_batch", "graph.nodes"),
        ({"graph": {"nodes": {"a": 1}}}, "invalid_batch", "graph.nodes"),
        ({"graph": {"nodes": {}, "edges": [{}]}}, "invalid_batch", "graph.edges[0].source"),
        ({"graph": {"nodes": {"a": {"x": "\0"}}}}, "invalid_batch", "graph"),
        ({"runs": 0}, "invalid_input", "body.batch.runs"),
        ({"runs": "many"}, "invalid_input", "body.batch.runs"),
        ({"runs": 10**30}, "invalid_batch", "data"),
        ({"runs": 100_001}, "invalid_batch", "data"),
        ({"workflow": []}, "invalid_input", "body.batch.workflow"),
        ({"origin": ""}, "invalid_batch", "origin"),
        ({"destination": "x" * 1_001}, "invalid_input", "destination"),
        ({"batch_id": "a\0b"}, "invalid_input", "batch_id"),
        ({"board_id": "absent"}, "not_found", "board_id"),
        ({"data": {}}, "invalid_input", "body.batch.data"),
        ({"data": [[]]}, "invalid_batch", "data"),
        ({"data": [[{"node_path": "noise"}]]}, "invalid_input", "body.batch.data.0.0.field_name"),
        ({"data": [[_datum("text")]]}, "invalid_input", "body.batch.data.0.0.items"),
        ({"data": [[_datum([1, 2]), _datum([1], field="id")]]}, "invalid_batch", "data[0][1].items"),
        ({"data": [[_datum([1, "a"])]]}, "invalid_batch", "data[0][0].items"),
        ({"data": [[_datum([None])]]}, "invalid_batch", "data[0][0].items"),
        ({"data": [[_datum(["\0"])]]}, "invalid_batch", "data[0][0].items"),
        ({"data": [[_datum([1], node="absent")]]}, "invalid_batch", "data[0][0].node_path"),
        ({"data": [[_datum([1], field="absent")]], "open_fields": False}, "invalid_batch", "data[0][0].field_name"),
        ({"data": [[_datum([1])], [_datum([2])]]}, "invalid_batch", "data[1][0]"),
    ],
)
async def test_a_batch_that_cannot_be(world: World, batch: dict[str, Any], code: str, field: str) -> None:
    """The problem names the place in it; nothing is queued, not even a part."""
    before = (await world.ana.get("/api/v1/queue/default/status")).json()
    sent = batch if "graph" in batch or not batch else {"graph": GRAPH, **batch}
    got = await world.ana.post(ENQUEUE, json={"batch": sent})
    assert_problem(got, 404 if code == "not_found" else 422, code, field)
    assert (await world.ana.get("/api/v1/queue/default/status")).json() == before


@pytest.mark.parametrize("text", ['{"x": NaN}', '{"x": 1e999}', '{"x": "\\ud800"}'], ids=["nan", "infinite", "surrogate"])
async def test_a_batch_that_no_encoder_writes(world: World, text: str) -> None:
    """Wherever it stands, it is refused before it is stored."""
    headers = {"Content-Type": "application/json"}
    before = (await world.ana.get("/api/v1/queue/default/status")).json()
    for batch in (
        f'{{"graph": {{"nodes": {{"a": {text}}}}}}}',
        f'{{"graph": {{"nodes": {{}}}}, "workflow": {text}}}',
        f'{{"graph": {{"nodes": {{"a": {{}}}}}}, "data": [[{{"node_path": "a", "field_name": "x", "items": [{text}]}}]]}}',
    ):
        got = await world.ana.post(ENQUEUE, content=f'{{"batch": {batch}}}', headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (422, "application/problem+json"), got.text
        assert got.json()["field"]
    assert (await world.ana.get("/api/v1/queue/default/status")).json() == before


async def test_what_is_taken_is_shown_again_however_deep_it_is(world: World) -> None:
    """What is nested too deeply to be shown is refused, wherever it stands; nothing in between is queued and lost."""
    taken = []
    for depth in (*range(60, 260, 10), 900):
        deep = json.loads("[" * depth + "]" * depth)
        for batch in (
            {"graph": {"nodes": {"noise": {"x": deep}}}},
            {"graph": GRAPH, "data": [[_datum([deep])]]},
            {"graph": GRAPH, "workflow": {"x": deep}},
        ):
            got = await world.ana.post(ENQUEUE, json={"batch": batch})
            if got.status_code == 422:
                assert got.json()["field"].startswith("body.batch.")
                continue
            taken.append(depth)
            item = await answer(world.ana, "GET", f"queue/default/i/{got.json()['item_ids'][0]}")
            assert item["session"]["graph"]["nodes"]
            assert item["field_values"] or "data" not in batch
            assert "workflow" in item or "workflow" not in batch
    assert 60 in taken
    assert 250 not in taken


async def test_batches_of_the_wrong_size_or_place(world: World) -> None:
    """A body that is too large, a key that is too long or empty, a queue whose name stands for all, an id that was used."""
    body = {"batch": {"graph": GRAPH}}
    large = {"batch": {"graph": {"nodes": {"a": {"x": "x" * 200_000}}}}}
    assert_problem(await world.ana.post(ENQUEUE, json=large), 413, "body_too_large", "body")
    for key in ("", "k" * 256):
        got = await world.ana.post(ENQUEUE, json=body, headers={"Idempotency-Key": key})
        assert_problem(got, 422, "invalid_input", "header.idempotency-key")
    assert_problem(await world.ana.post(ENQUEUE.replace("default", "*"), json=body), 422, "invalid_input", "queue_id")
    taken = {"batch": {"graph": GRAPH, "batch_id": world.private.batch_id}}
    for client in (world.ana, world.bo):
        assert_problem(await client.post(ENQUEUE, json=taken), 409, "conflict", "batch_id")


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("items?limit=0", "query.limit"),
        ("items?limit=1001", "query.limit"),
        ("items?status=lost", "query.status"),
        ("items?cursor=nonsense", "cursor"),
        ("items?created_after=yesterday", "query.created_after"),
        ("items?created_before=0001-01-01T00:00:00%2B14:00", "query.created_before"),
        (f"items?error={'x' * 201}", "query.error"),
        ("item_ids?order_dir=up", "query.order_dir"),
        ("i/first", "path.item_id"),
        ("i/-1", "path.item_id"),
        (f"i/{2**63}", "path.item_id"),
        ("counts_by_destination", "query.destination"),
    ],
)
async def test_questions_that_cannot_be_asked(world: World, address: str, field: str) -> None:
    """The problem names the parameter."""
    code = "invalid_cursor" if field == "cursor" else "invalid_input"
    assert_problem(await world.ana.get(f"/api/v1/queue/default/{address}"), 422, code, field)


async def test_things_that_are_not_there(world: World) -> None:
    """An item of another queue is as absent as one that never was; so are a batch and a destination."""
    item_id = world.private.item_id
    for queue, number in (("other", item_id), ("default", 999), ("default", 2**63 - 1)):
        for method, address in (("GET", ""), ("GET", "/position"), ("PUT", "/cancel"), ("DELETE", "")):
            got = await world.ana.request(method, f"/api/v1/queue/{queue}/i/{number}{address}")
            assert_problem(got, 404, "not_found", "item_id")
        got = await world.ana.put(f"/api/v1/queue/{queue}/retry_items_by_id", json=[number])
        assert_problem(got, 404, "not_found", "item_ids")
    assert_problem(await world.ana.get("/api/v1/queue/default/b/absent/status"), 404, "not_found", "batch_id")
    cancel = "/api/v1/queue/default/cancel_by_destination?destination=absent"
    assert_problem(await world.ana.put(cancel), 404, "not_found", "destination")
    assert_problem(await world.ana.delete("/api/v1/queue/default/d/absent"), 404, "not_found", "destination")
    assert (await answer(world.ana, "GET", f"queue/default/i/{item_id}"))["status"] == "pending"


async def test_lists_of_names_that_cannot_be(world: World) -> None:
    """Too many, too large, or of another type."""
    for numbers in ([*range(1_001)], [2**63], ["a"], "all"):
        for method, address, body, place in [
            ("POST", "items_by_ids", {"item_ids": numbers}, "body.item_ids"),
            ("POST", "item_summaries_by_ids", {"item_ids": numbers}, "body.item_ids"),
            ("PUT", "retry_items_by_id", numbers, "body"),
        ]:
            got = await world.ana.request(method, f"/api/v1/queue/default/{address}", json=body)
            assert (got.status_code, got.json()["code"]) == (422, "invalid_input")
            assert got.json()["field"].startswith(place)
    for name in (1, "a\0b", "x" * 1_001):
        got = await world.ana.put("/api/v1/queue/default/cancel_by_batch_ids", json={"batch_ids": [name]})
        assert_problem(got, 422, "invalid_input", "body.batch_ids.0")


async def test_an_item_that_runs_has_no_place_in_the_line(world: World) -> None:
    """Nor has one that has ended; it stays as it is."""
    (item,) = await claim(world)
    got = await world.ana.get(f"/api/v1/queue/default/i/{item.item_id}/position")
    assert_problem(got, 409, "illegal_transition", "item_id")
    assert (await answer(world.ana, "GET", f"queue/default/i/{item.item_id}"))["status"] == "in_progress"


async def test_a_retry_is_whole_or_not_at_all(world: World) -> None:
    """A limit that is reached leaves every item as it was."""
    made = await enqueue(world.ana, 1, 2, 3)
    await answer(world.ana, "PUT", "queue/default/cancel_by_batch_ids", json={"batch_ids": [made["batch"]["batch_id"]]})
    async with world.studio.begin(Principal("root", is_admin=True)) as work:
        await work.queue_administration.set_for_user("ana", Limits(max_pending=4))
    got = await world.ana.put("/api/v1/queue/default/retry_items_by_id", json=made["item_ids"])
    assert_problem(got, 429, "limit_reached", "max_pending")
    assert (await answer(world.ana, "GET", "queue/default/status"))["queue"]["user_pending"] == 2


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "\\ud800"}', DEEP, "null"])
async def test_documents_of_an_import_that_cannot_be_sent_are_left_out(world: World, text: str) -> None:
    """A session is an empty one then; the list is not lost for one item."""
    await store(world, sa.update(queue_items).values(session=text, workflow=text))
    items = await answer(world.ana, "GET", "queue/default/list_all")
    assert len(items) == 2
    for item in items:
        assert item["session"]["id"] == item["session_id"]
        assert item["session"]["graph"] == {"id": item["session_id"], "nodes": {}, "edges": []}
        assert item["workflow"] is None


async def test_a_studio_for_one_user_queues_for_it(settings: Settings) -> None:
    """Who is its administrator too."""
    async with served(settings.model_copy(update={"multiuser": False})) as client:
        made = await answer(client, "POST", "queue/default/enqueue_batch", json={"batch": {"graph": GRAPH, "data": seeds(1)}})
        assert (await answer(client, "GET", f"queue/default/i/{made['item_ids'][0]}"))["user_id"] == "system"
        assert (await answer(client, "PUT", "queue/default/processor/pause"))["is_started"] is False
