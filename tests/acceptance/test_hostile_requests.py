"""Requests that a browser would send for somebody else, or that no client would send."""

import json

import pytest

from tenantry.settings import Settings
from tests.acceptance.conftest import WORKFLOW, World, served

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
