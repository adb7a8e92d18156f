"""The queue in the hands of an administrator, over HTTP."""

import asyncio
from typing import Any

import pytest

from tenantry.database.clock import moment_of
from tenantry.queue import Completed
from tests.acceptance.conftest import World
from tests.acceptance.routes import CALLS, make_call, operations
from tests.acceptance.test_bad_input import assert_problem
from tests.acceptance.test_media import answer
from tests.acceptance.test_queue_api import INTERNAL, claim, enqueue

HERE = "admin/queue/q/default"


async def test_an_administrator_may_do_what_is_an_administrators(world: World) -> None:
    """Each such route answers them; what is not there is a problem of its own."""
    for operation in operations(world.app):
        if CALLS[operation[0]].kind == "admin" and "/queue/" in operation[2]:
            got = await make_call(world.root, operation, world.private)
            absent = operation[0] in {"drain_worker", "undrain_worker"}
            assert got.status_code == (404 if absent else 200), (operation, got.text)


async def test_the_overview_shows_how_each_user_is_served(world: World) -> None:
    """Names, counts of now, and of the window how long items waited and ran."""
    await answer(world.root, "PUT", "queue/default/clear")
    await enqueue(world.ana, 1, 2)
    await enqueue(world.bo, 1)
    (item,) = await claim(world)
    async with world.studio.begin(INTERNAL) as work:
        await work.dispatch.acknowledge([Completed(lease=item.lease)])
    seen = await answer(world.root, "GET", f"{HERE}/overview?hours=0.5")
    assert (seen["queue_id"], seen["paused"], seen["window_seconds"]) == ("default", False, 1_800)
    assert (seen["pending"], seen["completed"], seen["total"]) == (2, 1, 3)
    ana, bo = seen["users"]
    assert (ana["user_id"], ana["display_name"], ana["email"]) == ("ana", "Ana", "ana@example.com")
    assert (ana["pending"], ana["completed"], ana["finished_in_window"]) == (1, 1, 1)
    assert ana["wait_p50"] == ana["wait_p95"] >= 0
    assert moment_of(ana["oldest_waiting"]) <= moment_of(bo["oldest_waiting"])
    assert (bo["pending"], bo["finished_in_window"], bo["wait_p50"], bo["gpu_seconds"]) == (1, 0, None, 0)
    assert (await answer(world.root, "GET", "admin/queue/q/other/overview"))["users"] == []


async def test_everybodys_items_are_listed_whole(world: World) -> None:
    """By user, status and text, page by page."""
    made = await enqueue(world.ana, 1, 2, 3, origin="ui")
    theirs = (await enqueue(world.bo, 1))["item_ids"]
    page = await answer(world.root, "GET", f"{HERE}/items?limit=2&user_id=ana")
    rest = await answer(world.root, "GET", f"{HERE}/items?user_id=ana&limit=9&cursor={page['next_cursor']}")
    found = [item["item_id"] for item in (*page["items"], *rest["items"])]
    assert found == [*reversed(made["item_ids"]), world.shown.item_id, world.private.item_id]
    assert rest["items"][-1]["field_values"][0]["value"] == "a private fox"
    assert not any(item["is_redacted"] for item in page["items"])
    assert [item["item_id"] for item in (await answer(world.root, "GET", f"{HERE}/items?user_id=bo"))["items"]] == theirs
    assert len((await answer(world.root, "GET", f"{HERE}/items?origin=ui&status=pending"))["items"]) == 3
    assert (await answer(world.root, "GET", f"{HERE}/items?error=memory"))["items"] == []


async def test_one_users_items_are_canceled_retried_and_deleted(world: World) -> None:
    """Nobody else's, also when they are named."""
    await answer(world.root, "PUT", "queue/default/clear")
    hers = (await enqueue(world.ana, 1, 2))["item_ids"]
    his = (await enqueue(world.bo, 1))["item_ids"]
    await answer(world.bo, "PUT", "queue/default/cancel_all_except_current")
    assert await answer(world.root, "PUT", f"{HERE}/users/ana/cancel") == {"canceled": 2}
    named = {"item_ids": [*hers, *his]}
    retried = await answer(world.root, "PUT", f"{HERE}/users/ana/retry", json=named)
    assert retried["retried_item_ids"] == hers
    assert await answer(world.root, "PUT", f"{HERE}/users/ana/prune") == {"deleted": 2}
    assert await answer(world.root, "PUT", f"{HERE}/users/ana/clear") == {"deleted": 2}
    assert (await answer(world.ana, "GET", "queue/default/item_ids"))["item_ids"] == his
    for what in ("cancel", "retry", "prune", "clear"):
        body = named if what == "retry" else None
        assert_problem(await world.root.put(f"/api/v1/{HERE}/users/nobody/{what}", json=body), 404, "not_found", "user_id")


async def test_an_item_is_put_first(world: World) -> None:
    """Before everybody's; one that does not wait cannot be."""
    made = await enqueue(world.bo, 1, 2)
    last = made["item_ids"][1]
    first = await answer(world.root, "PUT", f"{HERE}/i/{last}/put_first")
    assert (first["item_id"], first["ahead"]) == (last, 0)
    (item,) = await claim(world)
    assert item.item_id == last
    running = await world.root.put(f"/api/v1/{HERE}/i/{last}/put_first")
    assert_problem(running, 409, "illegal_transition", "item_id")
    absent = await world.root.put(f"/api/v1/admin/queue/q/other/i/{world.private.item_id}/put_first")
    assert_problem(absent, 404, "not_found", "item_id")


async def test_queues_and_users_are_paused(world: World) -> None:
    """A queue, all of them, or one user; and go on."""
    await enqueue(world.bo, 1)
    paused = await answer(world.root, "PUT", "admin/queue/q/*/pause")
    assert paused["is_started"] is False
    assert (await answer(world.root, "GET", f"{HERE}/overview"))["paused"] is True
    assert (await answer(world.root, "PUT", f"{HERE}/resume"))["is_started"] is False
    assert await claim(world) == []
    assert (await answer(world.root, "PUT", "admin/queue/q/*/resume"))["is_started"] is True
    assert (await answer(world.root, "PUT", "admin/queue/users/ana/pause"))["paused"] is True
    assert [item.user_id for item in await claim(world, 5)] == ["bo"]
    assert (await answer(world.root, "PUT", "admin/queue/users/ana/resume"))["paused"] is False
    assert {item.user_id for item in await claim(world, 5)} == {"ana"}


async def test_limits_hold_from_the_next_batch_on(world: World) -> None:
    """What is set for one user goes before what holds for everybody; what is left out is no limit."""
    none = {name: None for name in ("weight", "max_running", "max_pending", "per_minute", "per_hour", "per_day")}
    assert await answer(world.root, "GET", "admin/queue/limits") == none
    everybody = await answer(world.root, "PUT", "admin/queue/limits", json={"weight": 2, "max_pending": 1})
    assert everybody == {**none, "weight": 2, "max_pending": 1}
    hers = await answer(world.root, "PUT", "admin/queue/users/ana/limits", json={"max_pending": 9, "per_day": 5})
    assert hers["own"] == {**none, "max_pending": 9, "per_day": 5}
    assert hers["effective"] == {**everybody, "max_pending": 9, "per_day": 5}
    assert await answer(world.root, "GET", "admin/queue/users/ana/limits") == hers
    await enqueue(world.ana, 1, 2)
    body = {"batch": {"graph": {"nodes": {}}, "runs": 2}}
    await answer(world.bo, "POST", "queue/default/enqueue_batch", 429, json=body)
    assert await answer(world.root, "PUT", "admin/queue/limits", json={}) == none
    await answer(world.bo, "POST", "queue/default/enqueue_batch", json=body)


async def test_how_much_a_queue_holds_and_keeps(world: World) -> None:
    """For each queue by itself; a change replaces all of it."""
    address = f"{HERE}/settings"
    nothing = {"queue_id": "default", "paused": False, "max_pending": None, "keep_items": None, "keep_days": None}
    assert await answer(world.root, "GET", address) == nothing
    change = {"max_pending": 2, "keep_items": 100, "keep_days": 1.5}
    assert await answer(world.root, "PUT", address, json=change) == {**nothing, **change}
    full = await answer(world.ana, "POST", "queue/default/enqueue_batch", 429, json={"batch": {"graph": {"nodes": {}}}})
    assert full["code"] == "queue_full"
    assert await answer(world.root, "PUT", address, json={"keep_items": 0}) == {**nothing, "keep_items": 0}


async def test_workers_are_seen_drained_and_forgotten(world: World) -> None:
    """One is told to drain at its next sign of life; one that holds items, or is alive, is not forgotten."""
    (item,) = await claim(world)
    (worker,) = await answer(world.root, "GET", "admin/queue/workers")
    assert (worker["worker_id"], worker["name"], worker["is_alive"]) == (item.lease.worker_id, "gpu", True)
    assert (worker["running"], worker["draining"], worker["devices"]) == (1, False, [])
    address = f"admin/queue/workers/{worker['worker_id']}"
    assert (await answer(world.root, "PUT", f"{address}/drain"))["draining"] is True
    async with world.studio.begin(INTERNAL) as work:
        assert (await work.workers.beat(worker["worker_id"])).draining
    assert (await answer(world.root, "PUT", f"{address}/undrain"))["draining"] is False
    assert await answer(world.root, "DELETE", "admin/queue/workers/expired") == {"forgotten": 0}
    for what in ("drain", "undrain"):
        assert_problem(await world.root.put(f"/api/v1/admin/queue/workers/absent/{what}"), 404, "not_found", "worker_id")


@pytest.mark.parametrize(
    ("address", "change", "field"),
    [
        ("limits", {"weight": 0}, "weight"),
        ("limits", {"weight": "2"}, "body.weight"),
        ("limits", {"weight": True}, "body.weight"),
        ("limits", {"per_day": -1}, "per_day"),
        ("limits", {"per_day": 2**31}, "per_day"),
        ("limits", {"per_day": 1.5}, "body.per_day"),
        ("limits", {"per_week": 1}, "body.per_week"),
        ("users/ana/limits", {"max_running": -1}, "max_running"),
        ("users/nobody/limits", {"max_running": 1}, "user_id"),
        ("q/default/settings", {"max_pending": -1}, "max_pending"),
        ("q/default/settings", {"keep_items": 2**31}, "keep_items"),
        ("q/default/settings", {"keep_days": 36_501}, "keep_days"),
        ("q/default/settings", {"keep_days": "all"}, "body.keep_days"),
        ("q/default/settings", {"paused": True}, "body.paused"),
        ("q/*/settings", {"keep_items": 1}, "queue_id"),
    ],
)
async def test_decisions_that_cannot_be(world: World, address: str, change: dict[str, Any], field: str) -> None:
    """The problem names what; everything stays as it was, also what else was to be changed."""
    places = ("limits", "users/ana/limits", "q/default/settings")
    before = [await answer(world.root, "GET", f"admin/queue/{place}") for place in places]
    got = await world.root.put(f"/api/v1/admin/queue/{address}", json={"max_pending": 7, **change})
    absent = field == "user_id"
    assert_problem(got, 404 if absent else 422, "not_found" if absent else "invalid_input", field)
    assert [await answer(world.root, "GET", f"admin/queue/{place}") for place in places] == before


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("q/default/overview?hours=0", "query.hours"),
        ("q/default/overview?hours=1e9", "query.hours"),
        ("q/default/overview?hours=nan", "query.hours"),
        ("q/default/items?cursor=nonsense", "cursor"),
        ("q/*/settings", "queue_id"),
    ],
)
async def test_questions_that_cannot_be_asked(world: World, address: str, field: str) -> None:
    """The problem names the parameter."""
    code = "invalid_cursor" if field == "cursor" else "invalid_input"
    assert_problem(await world.root.get(f"/api/v1/admin/queue/{address}"), 422, code, field)


async def test_two_administrators_at_once(world: World) -> None:
    """What both set at the same moment is whole, one or the other."""
    first, second = {"weight": 2, "per_day": 2}, {"weight": 3, "per_day": 3}
    puts = [answer(world.root, "PUT", "admin/queue/limits", json=body) for body in (first, second) * 3]
    await asyncio.gather(*puts)
    limits = await answer(world.root, "GET", "admin/queue/limits")
    assert limits["weight"] == limits["per_day"]
