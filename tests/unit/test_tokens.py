"""Access tokens: InvokeAI's claims, and nothing that somebody else could make."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tenantry.accounts.tokens import Claims, check_secret, issue, read
from tenantry.errors import AuthenticationFailed, TenantryError
from tenantry.repositories import User, UserKind

SECRET = "5e" * 32
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANA = User("ana", "ana@example.com", "Ana", UserKind.PERSON, True, True, 3, None, "", "")
GOOD: dict[str, Any] = {
    "user_id": "ana",
    "email": "ana@example.com",
    "is_admin": False,
    "remember_me": False,
    "token_epoch": 0,
    "exp": int(NOW.timestamp()) + 60,
}


def token_of(claims: dict[str, Any], *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def test_a_token_says_what_invokeais_say() -> None:
    """The same claims in the same words, so that either program reads the other's."""
    token = issue(ANA, SECRET, now=NOW, lifetime=timedelta(days=7), remember_me=True)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    written = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    expires = int((NOW + timedelta(days=7)).timestamp())
    assert written == {
        "user_id": "ana",
        "email": "ana@example.com",
        "is_admin": True,
        "remember_me": True,
        "token_epoch": 3,
        "exp": expires,
    }
    assert read(token, SECRET, now=NOW) == Claims("ana", "ana@example.com", True, True, 3, expires)


def test_a_token_ends_with_its_second() -> None:
    """By the clock that is handed in."""
    token = issue(ANA, SECRET, now=NOW, lifetime=timedelta(days=1), remember_me=False)
    read(token, SECRET, now=NOW + timedelta(days=1, seconds=-1))
    with pytest.raises(AuthenticationFailed):
        read(token, SECRET, now=NOW + timedelta(days=1))


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_every_claim_must_be_there_and_of_its_kind(claim: str) -> None:
    """A token without an epoch or an end would never end."""
    read(token_of(GOOD), SECRET, now=NOW)
    for other in ({}, {claim: None}, {claim: [1]}, {claim: 1.5}):
        rest = {name: value for name, value in GOOD.items() if name != claim}
        with pytest.raises(AuthenticationFailed):
            read(token_of({**rest, **other}), SECRET, now=NOW)


def test_the_system_users_token_is_refused() -> None:
    """Whoever signed it: it would own all that single-user studios left."""
    with pytest.raises(AuthenticationFailed):
        read(token_of({**GOOD, "user_id": "system"}), SECRET, now=NOW)


def test_only_the_secret_and_the_one_algorithm_make_a_token() -> None:
    """Neither another key, nor another algorithm, nor none."""
    unsigned = jwt.encode(GOOD, None, algorithm="none")
    good = token_of(GOOD)
    head, body, signature = good.split(".")
    changed = base64.urlsafe_b64encode(json.dumps({**GOOD, "is_admin": True}).encode()).rstrip(b"=").decode()
    for token in (
        unsigned,
        token_of(GOOD, secret="6e" * 32),
        token_of(GOOD, secret=SECRET, algorithm="HS512"),
        f"{head}.{changed}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
    ):
        with pytest.raises(AuthenticationFailed):
            read(token, SECRET, now=NOW)


@pytest.mark.parametrize(
    "token",
    ["", "nonsense", "a.b.c", "ä.ö.ü", "\ud800", "x" * 100_000, base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.e30"],
)
def test_what_is_no_token_is_refused_like_any_other(token: str) -> None:
    """With the one error that says nothing about why."""
    with pytest.raises(AuthenticationFailed) as caught:
        read(token, SECRET, now=NOW)
    assert caught.value.message == "This token is not valid."


def test_a_short_secret_signs_nothing() -> None:
    """An import might bring an empty one, with which anybody could sign."""
    assert check_secret(SECRET) == SECRET
    for short in ("", "feed"):
        with pytest.raises(TenantryError, match="too short"):
            check_secret(short)


def test_a_principal_has_the_rights_that_the_row_has() -> None:
    """Not those of the token."""
    assert ANA.principal.is_admin
    assert not replace(ANA, is_admin=False).principal.is_admin
