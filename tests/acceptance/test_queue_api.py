"""The queue over HTTP: what its users, strangers and administrators get."""

from typing import Any

import httpx
import pytest

from tenantry.errors import DatabaseUnavailable
from tenantry.queue import ClaimedItem, Failed, Limits, Order, Queue
from tenantry.tenancy import InternalReason, Principal
from tests.acceptance.conftest import WORKFLOW, World
from tests.acceptance.test_media import answer

INTERNAL = Principal.internal(InternalReason.WORK)
GRAPH: dict[str, Any] = {
    "id": "g",
    "nodes": {"noise": {"id": "noise", "type": "noise", "seed": 0}, "text": {"id": "text", "type": "string"}},
    "edges": [],
}


def seeds(*values: int) -> list[list[dict[str, Any]]]:
    """The data of a batch of as many items."""
    return [[{"node_path": "noise", "field_name": "seed", "items": list(values)}]]


async def enqueue(client: httpx.AsyncClient, *values: int, headers: dict[str, str] | None = None, **more: Any) -> Any:
    """Queue a batch of as many items; answers its items in the order of the batch."""
    prepend = more.pop("prepend", False)
    body = {"batch": {"graph": GRAPH, "data": seeds(*values), **more}, "prepend": prepend}
    made = await answer(client, "POST", "queue/default/enqueue_batch", json=body, headers=headers)
    return {**made, "item_ids": sorted(made["item_ids"])}


async def claim(world: World, slots: int = 1) -> list[ClaimedItem]:
    """What a worker gets that comes now."""
    async with world.studio.begin(INTERNAL) as work:
        worker = await work.workers.register("gpu", host="h", process=1)
        return await work.dispatch.claim(worker, devices=("cuda:0",) * slots, order=Order.FAIR)


async def test_a_batch_is_queued_and_its_items_are_seen(world: World) -> None:
    """In InvokeAI's shapes: the batch as it came, its items in order, each with its session."""
    texts = {"node_path": "text", "field_name": "value", "items": ["a fox", "an owl"]}
    group = [*seeds(7, 8)[0], texts]
    batch = {"graph": GRAPH, "data": [group], "runs": 2, "workflow": WORKFLOW, "origin": "ui", "destination": "canvas"}
    made = await answer(world.ana, "POST", "queue/default/enqueue_batch", json={"batch": batch})
    assert (made["queue_id"], made["enqueued"], made["requested"], made["priority"]) == ("default", 4, 4, 0)
    assert made["item_ids"] == sorted(made["item_ids"], reverse=True)
    assert made["batch"].items() >= batch.items()
    (item,) = await answer(world.ana, "POST", "queue/default/items_by_ids", json={"item_ids": made["item_ids"][-2:-1]})
    assert item["field_values"] == [
        {"node_path": "noise", "field_name": "seed", "value": 8},
        {"node_path": "text", "field_name": "value", "value": "an owl"},
    ]
    nodes = item["session"]["graph"]["nodes"]
    assert (nodes["noise"]["seed"], nodes["text"]["value"]) == (8, "an owl")
    assert (item["session"]["id"], item["workflow"], item["batch_id"]) == (
        item["session_id"],
        WORKFLOW,
        made["batch"]["batch_id"],
    )
    assert (item["user_id"], item["user_display_name"], item["user_email"]) == ("ana", "Ana", "ana@example.com")
    assert (item["status"], item["origin"], item["destination"], item["is_redacted"]) == ("pending", "ui", "canvas", False)
    single = await answer(world.ana, "GET", f"queue/default/i/{item['item_id']}")
    assert single == {name: value for name, value in item.items() if value is not None}
    summary = await answer(world.ana, "POST", "queue/default/item_summaries_by_ids", json={"item_ids": [item["item_id"]]})
    assert summary[0].items() <= item.items()
    assert "session" not in summary[0]


async def test_lists_are_in_order_and_whole(world: World) -> None:
    """By priority, by number, and page by page; as often and in the order in which items are named."""
    await answer(world.root, "PUT", "queue/default/clear")
    first = (await enqueue(world.ana, *range(60)))["item_ids"]
    urgent = (await enqueue(world.bo, 1, prepend=True))["item_ids"]
    everything = await answer(world.ana, "GET", "queue/default/list_all")
    assert [item["item_id"] for item in everything] == [*urgent, *first]
    assert [item["session"]["graph"]["nodes"]["noise"]["seed"] for item in everything[1:]] == list(range(60))
    ids = await answer(world.ana, "GET", "queue/default/item_ids?order_dir=ASC")
    assert ids == {"item_ids": [*first, *urgent], "total_count": 61}
    named = [first[3], 999, first[0], first[3]]
    for address in ("items_by_ids", "item_summaries_by_ids"):
        found = await answer(world.ana, "POST", f"queue/default/{address}", json={"item_ids": named})
        assert [item["item_id"] for item in found] == [first[3], first[0], first[3]]
        assert await answer(world.ana, "POST", f"queue/other/{address}", json={"item_ids": named}) == []
    seen, cursor = [], ""
    while cursor is not None:
        page = await answer(
            world.ana, "GET", "queue/default/items", params={"limit": 25, **({"cursor": cursor} if cursor else {})}
        )
        seen += [item["item_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [*urgent, *reversed(first)]
    for address in ("list_all", "list_all?destination=x"):
        assert await answer(world.ana, "GET", f"queue/other/{address}") == []


async def test_a_list_is_filtered(world: World) -> None:
    """By what an item is and when it came; what is private finds one's own alone."""
    made = await enqueue(world.ana, 1, 2, destination="gallery", origin="ui")
    await answer(world.ana, "PUT", f"queue/default/i/{made['item_ids'][0]}/cancel")

    async def found(client: httpx.AsyncClient, **only: str) -> list[int]:
        page = await answer(client, "GET", "queue/default/items", params=only)
        return [item["item_id"] for item in page["items"]]

    canceled, waiting = made["item_ids"]
    assert await found(world.ana, status="canceled") == [canceled]
    assert await found(world.ana, destination="gallery", origin="ui") == [waiting, canceled]
    assert await found(world.ana, batch_id=made["batch"]["batch_id"], status="pending") == [waiting]
    assert await found(world.root, user_id="ana", destination="gallery") == [waiting, canceled]
    assert await found(world.bo, destination="gallery") == []
    assert await found(world.bo, user_id="ana") == []
    assert await found(world.ana, created_after="2999-01-01T00:00:00+02:00") == []
    assert len(await found(world.ana, created_after="2020-01-01", created_before="2999-01-01T00:00:00Z")) == 4


async def test_how_it_goes_is_counted(world: World) -> None:
    """Everybody's, one's own, a batch's, a destination's; and whose turn it is."""
    await answer(world.root, "PUT", "queue/default/clear")
    made = await enqueue(world.ana, 1, 2, 3, destination="gallery", origin="ui")
    await enqueue(world.bo, 1)
    (running,) = await claim(world)
    status = await answer(world.ana, "GET", "queue/default/status")
    assert status["queue"] == {
        "queue_id": "default",
        "item_id": running.item_id,
        "batch_id": running.batch_id,
        "session_id": running.session_id,
        **{"pending": 3, "in_progress": 1, "waiting": 0, "completed": 0, "failed": 0, "canceled": 0, "total": 4},
        **{"user_pending": 2, "user_in_progress": 1},
    }
    assert status["processor"] == {"is_started": True, "is_processing": True}
    assert (await answer(world.ana, "GET", "queue/default/current"))["item_id"] == running.item_id
    assert (await answer(world.ana, "GET", "queue/default/next"))["item_id"] == made["item_ids"][1]
    place = await answer(world.ana, "GET", f"queue/default/i/{made['item_ids'][2]}/position")
    assert place == {"item_id": made["item_ids"][2], "ahead": 2, "seconds": None}
    batch = await answer(world.ana, "GET", f"queue/default/b/{made['batch']['batch_id']}/status")
    assert (batch["pending"], batch["in_progress"], batch["total"], batch["origin"]) == (2, 1, 3, "ui")
    counts = "queue/default/counts_by_destination?destination=gallery"
    assert [(await answer(who, "GET", counts))["total"] for who in (world.ana, world.bo, world.root)] == [3, 0, 3]
    await answer(world.ana, "GET", f"queue/other/b/{made['batch']['batch_id']}/status", 404)


async def test_a_stranger_sees_the_state_and_nothing_else(world: World) -> None:
    """In no answer is a word of what an item is for, whose it is, or how it failed."""
    made = await enqueue(world.ana, 4711, 2, 3, origin="secret-origin", destination="secret-destination", workflow=WORKFLOW)
    private, *others = await claim(world, 3)
    error = {"error_type": "SecretError", "error_message": "secret message", "error_traceback": "secret trace"}
    async with world.studio.begin(INTERNAL) as work:
        await work.dispatch.acknowledge([Failed(lease=others[0].lease, **error)])
    secrets = ["private", "secret", "Secret", "4711", "ana", "Ana", WORKFLOW["name"], made["batch"]["batch_id"]]
    secrets += [item.session_id for item in (private, *others)]
    named = {"item_ids": [private.item_id, *made["item_ids"]]}
    addresses = [
        *(f"GET queue/default/{name}" for name in ("list_all", "items", "item_ids", "current", "next", "status")),
        *(f"GET queue/default/i/{item_id}" for item_id in named["item_ids"]),
        *(f"POST queue/default/{name}" for name in ("items_by_ids", "item_summaries_by_ids")),
    ]
    for method, address in (each.split() for each in addresses):
        got = await world.bo.request(method, f"/api/v1/{address}", json=named if method == "POST" else None)
        assert got.status_code == 200, address
        assert not [secret for secret in secrets if secret in got.text], (address, got.text)
    whole = (await answer(world.bo, "POST", "queue/default/items_by_ids", json={"item_ids": [others[0].item_id]}))[0]
    assert (whole["status"], whole["device"], whole["is_redacted"]) == ("failed", "cuda:0", True)
    assert {name for name, value in whole.items() if value == "redacted"} == {"user_id", "batch_id", "session_id"}
    assert whole["priority"] == 0
    session = whole["session"]
    assert (session["id"], session["graph"]) == ("redacted", {"id": "redacted", "nodes": {}, "edges": []})
    kept = {name for name, value in whole.items() if value not in (None, "redacted", 0, [])} - {"session", "is_redacted"}
    assert kept <= {
        *("item_id", "queue_id", "status", "status_sequence", "device"),
        *("created_at", "updated_at", "started_at", "completed_at"),
    }
    status = (await answer(world.bo, "GET", "queue/default/status"))["queue"]
    assert (status["item_id"], status["batch_id"], status["session_id"], status["in_progress"]) == (None, None, None, 2)
    mine = (await answer(world.ana, "POST", "queue/default/items_by_ids", json={"item_ids": [others[0].item_id]}))[0]
    assert mine.items() >= error.items()


async def test_items_are_canceled_retried_and_deleted(world: World) -> None:
    """One by one, and in bulk; by their owner and by an administrator."""
    await answer(world.root, "PUT", "queue/default/clear")
    first, second, third = (await enqueue(world.ana, 1, 2, 3, destination="gallery"))["item_ids"]
    assert (await answer(world.ana, "PUT", f"queue/default/i/{first}/cancel"))["status"] == "canceled"
    assert (await answer(world.ana, "PUT", f"queue/default/i/{first}/cancel"))["status_sequence"] == 1
    retried = await answer(world.ana, "PUT", "queue/default/retry_items_by_id", json=[first, second, 999])
    (new,) = retried["new_item_ids"]
    assert retried["retried_item_ids"] == [first]
    assert (await answer(world.ana, "GET", f"queue/default/i/{new}"))["retried_from_item_id"] == first
    await answer(world.bo, "PUT", "queue/default/retry_items_by_id", 403, json=[first])
    assert await answer(world.ana, "PUT", "queue/default/prune") == {"deleted": 1}
    await answer(world.ana, "GET", f"queue/default/i/{first}", 404)
    (running,) = await claim(world)
    assert running.item_id == second
    assert await answer(world.ana, "PUT", "queue/default/cancel_all_except_current") == {"canceled": 2}
    assert await answer(world.root, "PUT", f"queue/default/i/{second}/cancel") != {}
    assert await answer(world.ana, "DELETE", f"queue/default/i/{third}") is None
    assert await answer(world.ana, "DELETE", "queue/default/d/gallery") == {"deleted": 2}
    made = await enqueue(world.ana, 1, 2, destination="gallery")
    await enqueue(world.bo, 1, destination="gallery")
    batch_ids = {"batch_ids": [made["batch"]["batch_id"], "absent"]}
    assert await answer(world.bo, "PUT", "queue/default/cancel_by_batch_ids", json=batch_ids) == {"canceled": 0}
    assert await answer(world.ana, "PUT", "queue/default/cancel_by_batch_ids", json=batch_ids) == {"canceled": 2}
    assert await answer(world.bo, "PUT", "queue/default/cancel_by_destination?destination=gallery") == {"canceled": 1}
    await enqueue(world.bo, 1)
    assert await answer(world.ana, "PUT", "queue/default/delete_all_except_current") == {"deleted": 0}
    assert await answer(world.ana, "PUT", "queue/default/clear") == {"deleted": 2}
    assert await answer(world.root, "PUT", "queue/default/clear") == {"deleted": 2}


async def test_a_key_makes_a_request_safe_to_repeat(world: World) -> None:
    """It answers what became of the first one; with another request it is refused; everybody has their own keys."""
    key = {"Idempotency-Key": "click-1"}
    made = await enqueue(world.ana, 1, 2, headers=key)
    assert await enqueue(world.ana, 1, 2, headers=key) == made
    body = {"batch": {"graph": GRAPH, "data": seeds(3)}}
    refused = await answer(world.ana, "POST", "queue/default/enqueue_batch", 409, json=body, headers=key)
    assert (refused["code"], refused["field"]) == ("conflict", "idempotency_key")
    assert (await enqueue(world.bo, 1, headers=key))["item_ids"] != made["item_ids"]
    assert (await answer(world.ana, "GET", "queue/default/status"))["queue"]["user_pending"] == 4


async def test_a_limit_says_when_to_try_again(world: World) -> None:
    """In the header that clients know, where the time is known; nothing of the batch is queued."""
    before = await answer(world.ana, "GET", "queue/default/item_ids")
    body = {"batch": {"graph": GRAPH, "data": seeds(1, 2)}}
    async with world.studio.begin(Principal("root", is_admin=True)) as work:
        await work.queue_administration.set_defaults(Limits(per_hour=3))
    got = await world.ana.post("/api/v1/queue/default/enqueue_batch", json=body)
    assert (got.status_code, got.json()["code"], got.json()["field"]) == (429, "limit_reached", "per_hour")
    assert 3_000 < int(got.headers["retry-after"]) <= 3_600
    async with world.studio.begin(Principal("root", is_admin=True)) as work:
        await work.queue_administration.set_defaults(Limits())
        await work.queue_administration.set_capacity(max_pending=3)
    got = await world.ana.post("/api/v1/queue/default/enqueue_batch", json=body)
    assert (got.status_code, got.json()["code"], got.json()["field"]) == (429, "queue_full", "queue_max_pending")
    assert "retry-after" not in got.headers
    assert await answer(world.ana, "GET", "queue/default/item_ids") == before


@pytest.mark.parametrize("who", ["ana", "root"])
async def test_only_administrators_pause_the_queue(world: World, who: str) -> None:
    """What runs goes on, nothing more is given out."""
    client: httpx.AsyncClient = getattr(world, who)
    if who == "ana":
        await answer(client, "PUT", "queue/default/processor/pause", 403)
        return
    paused = await answer(client, "PUT", "queue/default/processor/pause")
    assert paused == {"is_started": False, "is_processing": False}
    assert await claim(world) == []
    assert (await answer(world.bo, "GET", "queue/default/status"))["processor"] == paused
    assert (await answer(client, "PUT", "queue/default/processor/resume"))["is_started"] is True
    assert len(await claim(world)) == 1


async def test_a_batch_goes_to_a_board_that_one_may_write(world: World) -> None:
    """Another's that is not shown does not exist, and one that is only shown is refused."""
    made = await enqueue(world.ana, 1, board_id=world.private.board_id)
    (item,) = await answer(world.ana, "POST", "queue/default/items_by_ids", json={"item_ids": made["item_ids"]})
    assert item["board_id"] == world.private.board_id
    for board_id, status in ((world.private.board_id, 404), (world.shown.board_id, 403)):
        body = {"batch": {"graph": GRAPH, "board_id": board_id}}
        refused = await answer(world.bo, "POST", "queue/default/enqueue_batch", status, json=body)
        assert "private" not in str(refused)


async def test_a_list_that_cannot_be_read_is_a_problem(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is sent while it is read: not an answer that breaks off at its beginning."""

    async def unreachable(*_: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(Queue, "details", unreachable)
    for method, address in (("GET", "list_all"), ("POST", "items_by_ids")):
        body = {"item_ids": [1]} if method == "POST" else None
        problem = await answer(world.ana, method, f"queue/default/{address}", 503, json=body)
        assert problem["code"] == "database_unavailable"
