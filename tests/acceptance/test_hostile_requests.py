"""Requests that a browser would send for somebody else, or that no client would send."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tenantry.settings import Settings
from tests.acceptance.conftest import WORKFLOW, World, served
from tests.acceptance.routes import operations
from tests.acceptance.test_bad_input import HOSTILE

FORM = "/api/v1/boards/?board_name=Mine"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_pages_change_nothing_where_nobody_logs_in(settings: Settings, site: str) -> None:
    """A form on any page can be sent here by its reader's browser, which says so; reading is prevented by the browser."""
    from_elsewhere = {"Sec-Fetch-Site": site, "Origin": "https://elsewhere.example"}
    async with served(settings.model_copy(update={"multiuser": False})) as client:
        refused = await client.post(FORM, headers=from_elsewhere)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        assert (await client.get("/api/v1/boards/?all=true", headers=from_elsewhere)).json() == []
        for own in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
            assert (await client.post(FORM, headers=own)).status_code == 201
    known = settings.model_copy(update={"multiuser": False, "allowed_origins": "https://elsewhere.example"})
    async with served(known) as client:
        assert (await client.post(FORM, headers=from_elsewhere)).status_code == 201


async def test_broken_text_deep_in_a_workflow_is_refused(world: World) -> None:
    """With a problem of the request's, not of the server's."""
    body = json.dumps({"workflow": {**WORKFLOW, "nodes": [{"text": "\ud800"}]}})
    answer = await world.ana.post("/api/v1/workflows/", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_input", "workflow")


async def test_a_length_beyond_all_numbers_is_too_large(world: World) -> None:
    """Whatever the number of its digits."""
    answer = await world.ana.post("/api/v1/images/star", content=b"{}", headers={"Content-Length": "9" * 5_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("text", [*HOSTILE, "a\0b"])
async def test_no_text_breaks_a_change_of_the_queue(world: World, text: str) -> None:
    """Whatever stands in its address, its parameters or its body, also for who may do it."""
    labels = {name: text for name in ("batch_id", "origin", "destination", "board_id")}
    data = [[{"node_path": text, "field_name": text, "items": [text]}]]
    batches: list[Any] = [
        {"graph": {"nodes": {text: {text: text}}}, "data": data, "workflow": {text: text}, **labels},
        *({"graph": {"nodes": {}}, name: value} for name, value in labels.items()),
    ]
    bodies: list[Any] = [text, [text], {}, *({name: [text]} for name in ("item_ids", "batch_ids")), {"weight": text}]
    for _, method, path in operations(world.app):
        if method == "GET" or "/queue/" not in path:
            continue
        hostile = "/".join(quote(text, safe="") if part.startswith("{") else part for part in path.split("/"))
        plain = path.format(queue_id="default", item_id=1, user_id="ana", worker_id="w", destination="d")
        sent = [{"batch": batch, "prepend": True} for batch in batches] if path.endswith("enqueue_batch") else bodies
        for address, body in [(hostile, sent[-1]), *((plain, body) for body in sent)]:
            answer = await world.root.request(method, address, params={"destination": text}, json=body)
            assert answer.status_code < 500, (method, address, body, answer.text)
