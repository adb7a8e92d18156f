"""The audit trail over HTTP, and the addresses in it."""

from tests.acceptance.conftest import PASSWORD, World
from tests.acceptance.test_media import answer


async def test_an_administrator_sees_who_got_in_and_from_where(world: World) -> None:
    """With the addresses of today; the failure names whom it was about and nobody who did it."""
    await answer(world.anonymous, "POST", "auth/login", 401, json={"email": "bo@example.com", "password": "Wrong-Horse-9"})
    page = await answer(world.root, "GET", "admin/audit/?subject_id=bo")
    failed, login = page["items"]
    assert (failed["action"], failed["actor_id"], failed["subject_email"]) == ("login_failed", None, "bo@example.com")
    assert (login["action"], login["actor_email"], login["method"]) == ("login", "bo@example.com", "password")
    assert {entry["address"] for entry in page["items"]} == {"127.0.0.1"}
    assert page["next_cursor"] is None
    assert PASSWORD not in str(page)


async def test_what_was_done_over_http_says_who_did_it(world: World) -> None:
    """Also by which key."""
    made = await answer(world.root, "POST", "auth/keys/", 201, json={"name": "Ops", "scopes": ["read", "admin"]})
    by_key = {"Authorization": f"Bearer {made['secret']}"}
    revoked = await world.anonymous.delete(f"/api/v1/admin/keys/{world.private.key_id}", headers=by_key)
    assert revoked.status_code == 204
    deleted, created = (await answer(world.root, "GET", "admin/audit/?actor_id=root&limit=2"))["items"]
    assert (created["action"], created["method"], created["detail"]["scopes"]) == ("key_created", "token", ["admin", "read"])
    assert (deleted["action"], deleted["subject_id"], deleted["detail"]) == (
        "key_deleted",
        "ana",
        {"key": world.private.key_id},
    )
    assert (deleted["method"], deleted["key_id"], deleted["address"]) == ("api_key", made["key_id"], "127.0.0.1")


async def test_it_goes_on_where_a_part_ended(world: World) -> None:
    """Newest first; filters are checked."""
    first = await answer(world.root, "GET", "admin/audit/?action=login&limit=2")
    second = await answer(world.root, "GET", f"admin/audit/?action=login&limit=2&cursor={first['next_cursor']}")
    assert [entry["subject_id"] for entry in (*first["items"], *second["items"])] == ["root", "bo", "ana"]
    await answer(world.root, "GET", f"admin/audit/?cursor={first['next_cursor']}", 422)
    await answer(world.root, "GET", "admin/audit/?action=nothing", 422)
    assert (await answer(world.root, "GET", "admin/audit/?since=2999-01-01T00:00:00Z"))["items"] == []
    assert len((await answer(world.root, "GET", "admin/audit/?action=login&until=2999-01-01T00:00:00"))["items"]) == 3
