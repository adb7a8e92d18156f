"""The pages and the description of the API, and the headers that browsers obey."""

import re

import pytest

from tenantry.api import create_app
from tests.acceptance.conftest import World, client_of


@pytest.mark.parametrize("address", ["/", "/docs"])
async def test_a_page_needs_nothing_from_elsewhere(world: World, address: str) -> None:
    """All it loads is this server's, and nothing can be run that is not a file of it."""
    page = await world.anonymous.get(address)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in page.text.replace("http-equiv", "")
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|style=", page.text)
    for name in re.findall(r'(?:src|href)="(console/[^"]+)"', page.text):
        assert (await world.anonymous.get(f"/{name}")).status_code == 200, name


async def test_scripts_load_what_is_there(world: World) -> None:
    """Every import of a script is a file that the server has."""
    seen, open_names = set(), ["app.js", "docs.js"]
    while open_names:
        name = open_names.pop()
        if name not in seen:
            seen.add(name)
            script = await world.anonymous.get(f"/console/{name}")
            assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8"), name
            assert "innerHTML" not in script.text
            open_names += re.findall(r'from "\./([^"]+)"', script.text)


async def test_every_answer_has_the_headers(world: World) -> None:
    """Pages, files, answers and problems alike."""
    for address in ("/", "/nothing", "/healthz", "/api/v1/boards/?all=true", "/api/v1/images/i/private.png/full"):
        headers = (await world.ana.get(address)).headers
        assert headers["x-content-type-options"] == "nosniff", address
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
        assert "access-control-allow-origin" not in headers


async def test_only_named_origins_may_call(world: World) -> None:
    """None by default; those in the settings otherwise."""
    asked = {"Origin": "https://studio.example.com", "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "Authorization, Idempotency-Key"
    assert (await world.anonymous.options("/api/v1/boards/", headers=asked)).status_code == 405
    settings = world.settings.model_copy(update={"allowed_origins": "https://studio.example.com/, https://b.example.com"})
    client = client_of(create_app(world.studio, settings))
    allowed = await client.options("/api/v1/boards/", headers=asked)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://studio.example.com")
    foreign = await client.options("/api/v1/boards/", headers={**asked, "Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in foreign.headers
    await client.aclose()


async def test_the_description_is_complete(world: World) -> None:
    """Each operation has a tag, a summary, its own id, and problems in the one shape; each reference leads somewhere."""
    description = (await world.anonymous.get("/openapi.json")).json()
    ids = []
    for methods in description["paths"].values():
        for operation in methods.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
            assert operation["tags"]
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(answer["content"]) == ["application/problem+json"], operation["operationId"]
    assert len(ids) == len(set(ids))
    schemas = description["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', str(description).replace("'", '"'))) <= set(schemas)
    assert "HTTPValidationError" not in schemas
