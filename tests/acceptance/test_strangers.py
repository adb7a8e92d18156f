"""What the API gives to those whose things they are not: route by route, so that no route can be forgotten."""

from typing import Any

import httpx

from tests.acceptance.conftest import Things, World
from tests.acceptance.routes import CALLS, make_call, operations

CHANGED_LISTS = ("starred", "unstarred", "deleted", "added", "removed")
QUEUED = {"shown": {200}, "guarded": {403}, "hidden": {404}, "admin": {403}}
"""What others get of items of the queue and of what administrators do, whatever else is shown to them."""


async def test_every_route_has_a_row(world: World) -> None:
    """A route that nobody thought about here does not exist."""
    assert {name for name, _, _ in operations(world.app)} == set(CALLS)


async def test_nobody_gets_in_without_logging_in(world: World) -> None:
    """Every route but the open ones asks who one is, and says so in the same way."""
    for operation in operations(world.app):
        answer = await make_call(world.anonymous, operation, world.shown)
        world.anonymous.cookies.clear()
        if CALLS[operation[0]].kind == "open":
            assert answer.status_code != 401, operation
            continue
        assert answer.status_code == 401, operation
        assert answer.headers["www-authenticate"] == "Bearer"
        if operation[1] != "HEAD":
            assert answer.json()["code"] == "authentication_failed"


async def test_a_stranger_learns_nothing_and_changes_nothing(world: World) -> None:
    """What one may not see does not exist: not in lists, not by name, not by an error that differs."""
    before = await _everything(world.root, world.private)
    for operation in operations(world.app):
        kind = CALLS[operation[0]].kind
        answer = await make_call(world.bo, operation, world.private)
        expected = {
            "read": {404},
            "change": {404},
            "personal": {404},
            "admin": {403},
            "bulk": {200, 201},
            "own": {200, 201},
            **QUEUED,
        }.get(kind)
        assert expected is None or answer.status_code in expected, (operation, answer.text)
        assert "private" not in answer.text.replace('"board_visibility":"private"', ""), (operation, answer.text)
        if kind == "bulk":
            assert _changed(answer.json()) == []
    assert await _everything(world.root, world.private) == before


async def test_absent_and_hidden_things_look_alike(world: World) -> None:
    """Word for word, so that names cannot be tried out."""
    absent = Things("absent", "absent.png", "absent.mp4", "absent", "absent", "absent", 99, "absent", "absent")
    for operation in operations(world.app):
        if CALLS[operation[0]].kind in {"read", "change", "hidden", "personal"} and operation[1] != "HEAD":
            hidden = await make_call(world.bo, operation, world.private)
            missing = await make_call(world.bo, operation, absent)
            assert hidden.json() == missing.json(), operation


async def test_seeing_is_not_changing(world: World) -> None:
    """What is shown to everybody is read by everybody and changed by nobody else, who are told that they may not."""
    before = await _everything(world.root, world.shown)
    for operation in operations(world.app):
        kind = CALLS[operation[0]].kind
        answer = await make_call(world.bo, operation, world.shown)
        expected = {"read": {200}, "change": {403}, "bulk": {200, 201}, **QUEUED}.get(kind)
        assert expected is None or answer.status_code in expected, (operation, answer.text)
        if kind == "bulk":
            assert _changed(answer.json()) == []
    assert await _everything(world.root, world.shown) == before


async def test_an_administrator_reads_everything(world: World) -> None:
    """Also what is private to somebody."""
    for operation in operations(world.app):
        if CALLS[operation[0]].kind == "personal":
            assert (await make_call(world.root, operation, world.private)).status_code == 404, operation
        if CALLS[operation[0]].kind in {"read", "shown", "hidden"}:
            assert (await make_call(world.root, operation, world.private)).status_code == 200, operation


async def _everything(client: httpx.AsyncClient, things: Things) -> list[Any]:
    """All that is known about these things."""
    addresses = [
        f"boards/{things.board_id}",
        f"boards/{things.board_id}/shares",
        f"images/i/{things.image_name}",
        f"images/i/{things.image_name}/workflow",
        f"videos/i/{things.video_name}",
        f"videos/i/{things.video_name}/workflow",
        f"workflows/i/{things.workflow_id}",
        f"style_presets/i/{things.style_preset_id}",
        f"system_prompts/i/{things.system_prompt_id}",
        f"queue/default/i/{things.item_id}",
    ]
    answers = [await client.get(f"/api/v1/{address}") for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


def _changed(result: dict[str, list[str]]) -> list[str]:
    lists = [names for key, names in result.items() if key.startswith(CHANGED_LISTS)]
    return [name for names in (*lists, result["affected_boards"]) for name in names]
