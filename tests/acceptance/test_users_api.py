"""Users over HTTP: what one changes of oneself, and what administrators change of others."""

import pytest

from tests.acceptance.conftest import PASSWORD, World
from tests.acceptance.test_media import answer

OTHER = "Another-Horse-8"


async def test_one_changes_ones_own_name(world: World) -> None:
    """And nothing that decides who one is or what one may."""
    changes = {"display_name": "Anna", "email": "anna@example.com", "is_admin": True}
    me = await answer(world.ana, "PATCH", "auth/me", json=changes)
    assert (me["display_name"], me["email"], me["is_admin"]) == ("Anna", "ana@example.com", False)


async def test_a_new_password_ends_what_the_old_one_opened(world: World) -> None:
    """But whoever changed it goes on with a new token."""
    old = world.ana.headers["Authorization"]
    changes = {"current_password": PASSWORD, "new_password": OTHER, "display_name": "Anna"}
    changed = await world.ana.patch("/api/v1/auth/me", json=changes)
    assert (changed.status_code, changed.json()["display_name"]) == (200, "Anna")
    await answer(world.anonymous, "GET", "auth/me", 401, headers={"Authorization": old})
    world.ana.headers["Authorization"] = f"Bearer {changed.headers['x-refreshed-token']}"
    await answer(world.ana, "GET", "auth/me")
    assert await answer(world.ana, "GET", "auth/keys/") == []
    assert (await world.ana.get("/api/v1/images/i/private.png/full", headers={"Authorization": ""})).status_code == 200


async def test_keys_are_kept_when_their_user_says_so(world: World) -> None:
    """Nobody else is asked."""
    changes = {"current_password": PASSWORD, "new_password": OTHER, "keep_api_keys": True}
    changed = await world.ana.patch("/api/v1/auth/me", json=changes)
    world.ana.headers["Authorization"] = f"Bearer {changed.headers['x-refreshed-token']}"
    assert len(await answer(world.ana, "GET", "auth/keys/")) == 2


async def test_a_password_is_changed_only_by_who_knows_it(world: World) -> None:
    """Guesses count, and a refusal changes nothing."""
    for changes, field in (
        ({"new_password": OTHER}, "body"),
        ({"new_password": "weak", "current_password": PASSWORD}, "password"),
        ({"new_password": OTHER, "current_password": "Wrong-Horse-9", "display_name": "Anna"}, "current_password"),
    ):
        assert (await answer(world.ana, "PATCH", "auth/me", 422, json=changes))["field"] == field
    assert (await answer(world.ana, "GET", "auth/me"))["display_name"] == "Ana"
    for _ in range(world.settings.login_attempts):
        last = await world.ana.patch("/api/v1/auth/me", json={"new_password": OTHER, "current_password": "Wrong-Horse-9"})
    assert last.status_code == 429


async def test_a_password_is_judged_before_it_is_chosen(world: World) -> None:
    """By anybody; a suggestion is strong."""
    judged = await answer(world.anonymous, "POST", "auth/password-strength", json={"password": "horse"})
    assert judged == {
        "strength": "weak",
        "accepted": False,
        "wanted": ["at least 8 characters", "an upper-case letter", "a digit"],
    }
    suggested = (await answer(world.ana, "GET", "auth/generate-password"))["password"]
    judged = await answer(world.anonymous, "POST", "auth/password-strength", json={"password": suggested})
    assert judged == {"strength": "strong", "accepted": True, "wanted": []}


async def test_an_administrator_makes_and_changes_users(world: World) -> None:
    """All of it or nothing, and it is in the audit trail."""
    new = {"email": "Di@example.com", "password": PASSWORD, "display_name": "Di"}
    made = await answer(world.root, "POST", "auth/users", 201, json=new)
    address = f"auth/users/{made['user_id']}"
    changed = await answer(
        world.root, "PATCH", address, json={"is_admin": True, "password": OTHER, "email": "dido@example.com"}
    )
    assert (changed["is_admin"], changed["email"], changed["display_name"]) == (True, "dido@example.com", "Di")
    await answer(world.anonymous, "POST", "auth/login", json={"email": "dido@example.com", "password": OTHER})
    await answer(world.root, "PATCH", address, 409, json={"email": "ana@example.com", "is_active": False})
    assert (await answer(world.root, "GET", address))["is_active"] is True
    assert (await answer(world.root, "PATCH", address, json={"is_active": False}))["is_active"] is False
    await answer(world.anonymous, "POST", "auth/login", 403, json={"email": "dido@example.com", "password": OTHER})
    assert (await answer(world.root, "GET", "auth/users"))[0]["email"] == "dido@example.com"
    trail = (await answer(world.root, "GET", f"admin/audit/?subject_id={made['user_id']}&actor_id=root"))["items"]
    assert [entry["action"] for entry in trail] == [
        *("logins_ended", "user_suspended"),
        *("password_changed", "user_changed", "admin_granted", "user_created"),
    ]


@pytest.mark.parametrize(
    ("choice", "boards"), [("", ["system"]), ("?data=transfer&to=bo", ["bo"]), ("?data=delete", [])], ids=str
)
async def test_a_deleted_users_things_go_where_it_was_said(world: World, choice: str, boards: list[str]) -> None:
    """They are kept where nothing was said; deleted ones go with their files."""
    assert (await world.root.delete(f"/api/v1/auth/users/ana{choice}")).status_code == 204
    assert sorted({board["user_id"] for board in await answer(world.root, "GET", "boards/?all=true")}) == boards
    assert (world.outputs / "images" / "private.png").exists() == bool(boards)
    await answer(world.root, "GET", "auth/users/ana", 404)
    await answer(world.ana, "GET", "auth/me", 401)


async def test_what_must_not_become_of_users_is_refused(world: World) -> None:
    """The last administrator stays, and the system user is nobody."""
    for address, status in (("root", 409), ("system", 409), ("nobody", 404)):
        await answer(world.root, "DELETE", f"auth/users/{address}", status)
        await answer(world.root, "PATCH", f"auth/users/{address}", status, json={"is_active": False})
    await answer(world.root, "DELETE", "auth/users/ana?data=transfer", 422)
    await answer(world.root, "DELETE", "auth/users/ana?data=transfer&to=nobody", 422)


async def test_who_has_a_link_comes_in(world: World) -> None:
    """Nobody else sees it; the administrator sees that it is there until it is used."""
    invited = await answer(world.root, "POST", "auth/links/invitations", 201, json={"email": "di@example.com"})
    reset = await answer(world.root, "POST", "auth/links/resets/bo", 201)
    listed = await answer(world.root, "GET", "auth/links/")
    assert [link["link_id"] for link in listed] == [reset["link_id"], invited["link_id"]]
    assert all("secret" not in link for link in listed)
    weak = {"secret": invited["secret"], "password": "weak"}
    assert (await answer(world.anonymous, "POST", "auth/links/redeem", 422, json=weak))["field"] == "password"
    di = await answer(world.anonymous, "POST", "auth/links/redeem", json={**weak, "password": OTHER, "display_name": "Di"})
    assert (di["email"], di["display_name"], di["is_admin"]) == ("di@example.com", "Di", False)
    await answer(world.anonymous, "POST", "auth/links/redeem", json={"secret": reset["secret"], "password": OTHER})
    await answer(world.bo, "GET", "auth/me", 401)
    for email in ("di@example.com", "bo@example.com"):
        await answer(world.anonymous, "POST", "auth/login", json={"email": email, "password": OTHER})
    again = {"secret": reset["secret"], "password": OTHER}
    assert (await answer(world.anonymous, "POST", "auth/links/redeem", 404, json=again))["field"] == "secret"


async def test_a_link_is_taken_back(world: World) -> None:
    """It opens nothing from then on."""
    invited = await answer(world.root, "POST", "auth/links/invitations", 201, json={"email": "di@example.com"})
    assert (await world.root.delete(f"/api/v1/auth/links/{invited['link_id']}")).status_code == 204
    await answer(world.root, "DELETE", f"auth/links/{invited['link_id']}", 404)
    await answer(world.anonymous, "POST", "auth/links/redeem", 404, json={"secret": invited["secret"], "password": OTHER})
