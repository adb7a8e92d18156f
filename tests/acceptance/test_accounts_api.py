"""Logging in over HTTP, and who one is."""

import pytest

from tenantry.settings import Settings
from tests.acceptance.conftest import PASSWORD, World, log_in, served
from tests.acceptance.test_media import answer


async def test_logging_in_gives_a_token_and_says_who_one_is(world: World) -> None:
    """Nothing of the password or its hash comes back."""
    login = await world.anonymous.post("/api/v1/auth/login", json={"email": "ana@example.com", "password": PASSWORD})
    content = login.json()
    assert (content["user"]["user_id"], content["user"]["is_admin"], content["expires_in"]) == ("ana", False, 86_400)
    assert "$2b$" not in login.text
    me = await answer(world.ana, "GET", "auth/me")
    assert (me["email"], me["display_name"], me["is_active"]) == ("ana@example.com", "Ana", True)
    assert me["created_at"] == "2026-11-23T12:00:00"


async def test_remembered_tokens_live_longer(world: World) -> None:
    """And so does the cookie."""
    credentials = {"email": "ana@example.com", "password": PASSWORD, "remember_me": True}
    login = await world.anonymous.post("/api/v1/auth/login", json=credentials)
    assert login.json()["expires_in"] == 7 * 86_400
    assert f"Max-Age={7 * 86_400}" in login.headers["set-cookie"]


async def test_a_wrong_login_does_not_say_what_was_wrong(world: World) -> None:
    """An unknown address, a wrong password and the system user get the same answer."""
    answers = [
        await answer(world.anonymous, "POST", "auth/login", 401, json={"email": email, "password": password})
        for email, password in [
            ("ana@example.com", "Wrong-Horse-9"),
            ("nobody@example.com", PASSWORD),
            ("system@system.invokeai", ""),
        ]
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["code"] == "authentication_failed"


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_token_that_is_none_lets_nobody_in(world: World, token: str) -> None:
    """Neither in the header nor in the cookie."""
    header = {"Authorization": f"Bearer {token}"}
    assert (await world.anonymous.get("/api/v1/auth/me", headers=header)).status_code == 401
    cookie = {"Cookie": f"tenantry_media={token}"}
    assert (await world.anonymous.get("/api/v1/images/i/private.png/full", headers=cookie)).status_code == 401


async def test_a_deactivated_user_stays_out(world: World) -> None:
    """Though the password is right."""
    credentials = {"email": "cy@example.com", "password": PASSWORD}
    assert (await world.anonymous.post("/api/v1/auth/login", json=credentials)).status_code == 403


async def test_the_first_administrator_sets_the_studio_up(settings: Settings) -> None:
    """Once, and then nobody does."""
    setup = {"email": "root@example.com", "display_name": "Root", "password": PASSWORD}
    async with served(settings) as client:
        assert (await answer(client, "GET", "auth/status"))["setup_required"] is True
        weak = await answer(client, "POST", "auth/setup", 422, json={**setup, "password": "weak"})
        assert weak["field"] == "password"
        made = await answer(client, "POST", "auth/setup", json=setup)
        assert (made["success"], made["user"]["is_admin"]) == (True, True)
        assert (await answer(client, "GET", "auth/status"))["setup_required"] is False
        await answer(client, "POST", "auth/setup", 409, json={**setup, "email": "other@example.com"})
        await log_in(client, "root")
        assert (await answer(client, "GET", "auth/me"))["is_admin"] is True


async def test_a_studio_for_one_user_asks_nobody_to_log_in(settings: Settings) -> None:
    """Everything belongs to the system user, who cannot log in either."""
    async with served(settings.model_copy(update={"multiuser": False})) as client:
        assert (await answer(client, "GET", "auth/status"))["multiuser_enabled"] is False
        board = await answer(client, "POST", "boards/?board_name=Mine", 201)
        assert board["user_id"] == "system"
        prompt = await answer(client, "POST", "system_prompts/", json={"name": "Terse", "content": "Be terse."})
        assert prompt["is_public"] is True
        await answer(client, "POST", "auth/login", 403, json={"email": "root@example.com", "password": PASSWORD})
        for method, address in (("GET", "auth/me"), ("POST", "auth/logout")):
            await answer(client, method, address, 401)


async def test_too_many_failed_logins_must_wait(world: World) -> None:
    """The answer says how long, and an administrator lifts it."""
    for _ in range(world.settings.login_attempts):
        await answer(world.anonymous, "POST", "auth/login", 401, json={"email": "bo@example.com", "password": "Wrong-Horse-9"})
    right = {"email": "bo@example.com", "password": PASSWORD}
    refused = await world.anonymous.post("/api/v1/auth/login", json=right)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "limit_reached", "1")
    await answer(world.root, "DELETE", "admin/login_waits/", 422)
    lifted = await world.root.delete("/api/v1/admin/login_waits/?email=bo@example.com&address=127.0.0.1")
    assert lifted.status_code == 204
    await answer(world.anonymous, "POST", "auth/login", json=right)


async def test_a_proxys_word_counts_only_where_it_is_trusted(world: World) -> None:
    """Otherwise anybody could be everybody."""
    for number in range(5 * world.settings.login_attempts):
        credentials = {"email": f"user-{number}@example.com", "password": "Wrong-Horse-9"}
        header = {"X-Forwarded-For": f"198.51.100.{number}"}
        assert (await world.anonymous.post("/api/v1/auth/login", json=credentials, headers=header)).status_code == 401
    await answer(world.anonymous, "POST", "auth/login", 429, json={"email": "ana@example.com", "password": PASSWORD})
