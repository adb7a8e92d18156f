"""Bad input over HTTP: each kind gets a problem document that says what is wrong, and changes nothing."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.conftest import World

SECRETS = ("Correct-Horse-9", "$2b$", "SELECT", "Traceback", "sqlalchemy", "site-packages")


def assert_problem(answer: Any, status: int, code: str, field: str | None = None) -> None:
    """The one shape in which everything goes wrong."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"], problem.get("field")) == (status, code, field)
    assert problem["title"]
    assert isinstance(problem["detail"], str)
    for secret in SECRETS:
        assert secret not in answer.text


async def test_unknown_addresses_and_methods(world: World) -> None:
    """They are problems like others."""
    assert_problem(await world.ana.get("/api/v1/nothing"), 404, "no_such_route")
    assert_problem(await world.ana.get("/console/__init__.py"), 404, "not_found")
    wrong = await world.ana.put("/api/v1/boards/")
    assert_problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("boards/nobody", "board_id"),
        ("images/i/nobody.png", "image_name"),
        ("videos/i/nobody.mp4", "video_name"),
        ("workflows/i/nobody", "workflow_id"),
        ("style_presets/i/nobody", "style_preset_id"),
        ("system_prompts/i/nobody", "system_prompt_id"),
    ],
)
async def test_unknown_ids(world: World, address: str, field: str) -> None:
    """The problem names which, and what to do."""
    answer = await world.ana.get(f"/api/v1/{address}")
    assert_problem(answer, 404, "not_found", field)
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 422, "invalid_json"),
        (b"\xff\xfe", 422, "invalid_json"),
        (b'{"image_names": "one"}', 422, "invalid_input"),
        (b'{"image_names": [1]}', 422, "invalid_input"),
        (b'{"image_names": ["a\\u0000b"]}', 422, "invalid_input"),
        (b'{"image_names": ["\\ud800"]}', 422, "invalid_input"),
        (b'{"image_names": ["%s"]}' % (b"x" * 256), 422, "invalid_input"),
        (b'{"image_names": [%s]}' % b",".join([b'"x"'] * 1001), 422, "invalid_input"),
        (b"[" * 100_000, 400, "bad_request"),
    ],
)
async def test_bodies_that_cannot_be(world: World, content: bytes, status: int, code: str) -> None:
    """Broken JSON, wrong types, NUL bytes, broken Unicode, names and lists too long, and nesting without end."""
    headers = {"Content-Type": "application/json"}
    answer = await world.ana.post("/api/v1/images/star", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_large_is_not_read(world: World) -> None:
    """Whether its length is announced or not."""
    headers = {"Content-Type": "application/json"}
    announced = await world.ana.post("/api/v1/images/star", content=b"x" * 200_001, headers=headers)
    assert_problem(announced, 413, "body_too_large", "body")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1000

    streamed = await world.ana.post("/api/v1/images/star", content=pieces(), headers=headers)
    assert_problem(streamed, 413, "body_too_large")


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("images/?limit=1001", "query.limit"),
        ("images/?limit=many", "query.limit"),
        ("images/?offset=-1", "query.offset"),
        ("images/?offset=99999999999999999999", "query.offset"),
        ("images/?order_dir=up", "query.order_dir"),
        ("images/?categories=holiday", "query.categories.0"),
        ("gallery/items/?origin=moon", "query.origin"),
        ("gallery/item_names?created_date=today", "date"),
        ("virtual_boards/by_date/2026-1-1/image_names", "date"),
        ("boards/?all=true&order_by=user_id", "query.order_by"),
        ("workflows/?order_by=document", "query.order_by"),
        ("workflows/?per_page=-1", "query.per_page"),
        ("workflows/counts_by_tag", "query.tags"),
        ("images/?search_term=a%00b", "path"),
        ("images/i/a%00b", "path"),
    ],
)
async def test_parameters_that_cannot_be(world: World, address: str, field: str) -> None:
    """The problem names the parameter."""
    assert_problem(await world.ana.get(f"/api/v1/{address}"), 422, "invalid_input", field)


@pytest.mark.parametrize("name", ["", "  ", "x" * 301])
async def test_a_board_needs_a_name(world: World, name: str) -> None:
    """Nothing is made otherwise."""
    boards = (await world.ana.get("/api/v1/boards/?all=true")).json()
    answer = await world.ana.post("/api/v1/boards/", params={"board_name": name})
    assert answer.status_code == 422
    assert answer.json()["field"].endswith("board_name")
    assert (await world.ana.get("/api/v1/boards/?all=true")).json() == boards


async def test_a_board_list_needs_a_window(world: World) -> None:
    """All boards, or a place and a number."""
    assert_problem(await world.ana.get("/api/v1/boards/"), 400, "bad_request")
    assert_problem(await world.ana.get("/api/v1/boards/?offset=0"), 400, "bad_request")


async def test_unknown_members_and_values_of_a_change(world: World) -> None:
    """A change is applied whole or not at all."""
    address = f"/api/v1/boards/{world.private.board_id}"
    before = (await world.ana.get(address)).json()
    for change, field in [
        ({"board_name": "New", "owner": "bo"}, "body.owner"),
        ({"board_name": "New", "board_visibility": "everybody"}, "body.board_visibility"),
        ({"board_name": "New", "cover_image_name": "absent.png"}, "cover_image_name"),
    ]:
        assert_problem(await world.ana.patch(address, json=change), 422, "invalid_input", field)
    assert (await world.ana.get(address)).json() == before


async def test_shares_that_cannot_be(world: World) -> None:
    """With nobody, with the owner, with an unknown user, or with an unknown permission."""
    address = f"/api/v1/boards/{world.private.board_id}/share"
    for share, field in [
        ({"user_ids": [], "permission": "read"}, "body.user_ids"),
        ({"user_ids": ["ana"], "permission": "read"}, "user_ids"),
        ({"user_ids": ["nobody"], "permission": "read"}, "user_ids"),
        ({"user_ids": ["bo"], "permission": "own"}, "body.permission"),
    ]:
        assert_problem(await world.ana.post(address, json=share), 422, "invalid_input", field)
    assert (await world.ana.get(f"/api/v1/boards/{world.private.board_id}/shares")).json() == []


async def test_a_workflow_that_is_none(world: World) -> None:
    """A document must have its parts, and an id must not change."""
    assert_problem(
        await world.ana.post("/api/v1/workflows/", json={"workflow": {}}), 422, "invalid_input", "body.workflow.name"
    )
    stored = (await world.ana.get(f"/api/v1/workflows/i/{world.private.workflow_id}")).json()["workflow"]
    other = {"workflow": {**stored, "id": world.shown.workflow_id}}
    answer = await world.ana.patch(f"/api/v1/workflows/i/{world.private.workflow_id}", json=other)
    assert_problem(answer, 422, "invalid_input", "workflow.id")


async def test_an_unexpected_error_is_told_without_its_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The client gets a name for the request, by which the log has the rest, but for the token that came with it."""

    def broken(_: object) -> None:
        raise RuntimeError("SELECT password FROM users -- Correct-Horse-9")

    monkeypatch.setattr(world.studio, "read", broken)
    answer = await world.ana.get("/healthz")
    assert_problem(answer, 500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged
    assert world.ana.headers["authorization"].removeprefix("Bearer ") not in logged


HOSTILE = (
    "'",
    '"; DROP TABLE users --',
    "%",
    "_",
    "\\",
    "..",
    "-1",
    "1e309",
    "\U0001f98a",
    "\ud7ff\uffff",
    "x" * 5_000,
    " ",
    "None",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_breaks_the_server(world: World, text: str) -> None:
    """Whatever stands in an address or a parameter, the answer is an answer or a problem of the client's."""
    for name, methods in (await world.ana.get("/openapi.json")).json()["paths"].items():
        if "get" not in methods or "{" not in name + str(methods["get"].get("parameters", "")):
            continue
        described = methods["get"].get("parameters", [])
        address = "/".join(quote(text, safe="") if part.startswith("{") else part for part in name.split("/"))
        query = {each["name"]: text for each in described if each["in"] == "query"}
        for sent in ({}, query, *({key: text} for key in query)):
            answer = await world.ana.get(address, params=sent)
            assert answer.status_code < 500, (address, sent, answer.text)
