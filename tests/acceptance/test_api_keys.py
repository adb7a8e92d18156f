"""API keys over HTTP: made, used within their scopes, and ended."""

import httpx
import pytest
from fastapi.routing import APIRoute

from tenantry.api.routes import ROUTERS
from tenantry.api.scopes import NEEDED
from tests.acceptance.conftest import World, client_of
from tests.acceptance.routes import CALLS, make_call, operations
from tests.acceptance.test_media import answer


async def keyed(world: World, owner: httpx.AsyncClient, *scopes: str) -> httpx.AsyncClient:
    """A client that has a new key of this user's and nothing else."""
    made = await answer(owner, "POST", "auth/keys/", 201, json={"name": "Nightly", "scopes": scopes})
    client = client_of(world.app)
    client.headers["Authorization"] = f"Bearer {made['secret']}"
    return client


async def test_a_key_is_shown_once_and_listed_without_its_secret(world: World) -> None:
    """For ninety days unless something else is asked for."""
    made = await answer(world.bo, "POST", "auth/keys/", 201, json={"name": "Nightly", "scopes": ["read", "queue"]})
    assert made["secret"].startswith(made["prefix"])
    assert made["scopes"] == ["queue", "read"]
    endless = await answer(world.bo, "POST", "auth/keys/", 201, json={"name": "Endless", "scopes": ["read"], "days": None})
    assert (made["expires_at"] is None, endless["expires_at"]) == (False, None)
    listed = await answer(world.bo, "GET", "auth/keys/")
    assert [key["name"] for key in listed] == ["Endless", "Nightly"]
    assert all("secret" not in key for key in listed)


@pytest.mark.parametrize("scope", ["read", "queue", "library"])
async def test_a_key_does_what_its_scope_says_and_no_more(world: World, scope: str) -> None:
    """Every route is tried with every scope: reading with `read`, changing with `library`, never what takes a login."""
    client = await keyed(world, world.bo, scope)
    allowed = set()
    for operation in operations(world.app):
        response = await make_call(client, operation, world.shown)
        if CALLS[operation[0]].kind != "open" and "API key" not in response.text:
            allowed.add(operation)
    await client.aclose()
    methods = {method for _, method, _ in allowed}
    names = {name for name, _, _ in allowed}
    assert not names & {"list_api_keys", "create_api_key", "delete_api_key", "refresh_media_cookie", "logout"}
    if scope == "read":
        assert methods == {"GET", "HEAD", "POST"}
        assert {name for name, method, _ in allowed if method == "POST"} == {
            "get_images_by_names",
            "get_queue_items_by_item_ids",
            "get_queue_item_summaries_by_ids",
        }
    else:
        assert "GET" not in methods
        assert ("delete_board" in names) == (scope == "library")


async def test_an_administrators_key_needs_the_scope(world: World) -> None:
    """Without it it sees what any user sees."""
    plain, great = [await keyed(world, world.root, "read", *more) for more in ((), ("admin",))]
    await answer(plain, "GET", f"boards/{world.private.board_id}", 404)
    await answer(great, "GET", f"boards/{world.private.board_id}")
    await answer(plain, "GET", "admin/keys/", 403)
    listed = await answer(great, "GET", "admin/keys/?user_id=ana")
    assert {key["key_id"] for key in listed["items"]} == {world.private.key_id, world.shown.key_id}
    assert (await answer(plain, "GET", "auth/me"))["user_id"] == "root"
    for client in (plain, great):
        await client.aclose()


async def test_a_revoked_key_opens_nothing(world: World) -> None:
    """Whoever ended it."""
    client = await keyed(world, world.bo, "read")
    await answer(client, "GET", "boards/?all=true")
    (key,) = await answer(world.bo, "GET", "auth/keys/")
    assert (await world.root.delete(f"/api/v1/admin/keys/{key['key_id']}")).status_code == 204
    await answer(client, "GET", "boards/?all=true", 401)
    await client.aclose()
    assert await answer(world.bo, "GET", "auth/keys/") == []
    assert (await world.ana.delete(f"/api/v1/auth/keys/{world.private.key_id}")).status_code == 204


async def test_a_key_that_cannot_be_is_refused(world: World) -> None:
    """By field."""
    for body, field in (
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["all"]}, "body.scopes.0"),
        ({"name": "x", "scopes": ["admin"]}, "scopes"),
        ({"name": "x", "scopes": ["read"], "days": 0}, "body.days"),
    ):
        assert (await answer(world.bo, "POST", "auth/keys/", 422, json=body))["field"] == field


def test_every_part_of_the_api_says_what_a_key_needs() -> None:
    """A new part is named here until somebody decides; until then no key opens it."""
    tags = {str(tag) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute) for tag in route.tags}
    assert sorted(tags - set(NEEDED)) == []
