"""The audit trail: what is in it, what never is, who reads it, and for how long it is kept."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Method, Principal, Studio
from tenantry.accounts import AccountRules, Accounts
from tenantry.api.upkeep import prune_audit
from tenantry.database.tables import audit_entries
from tenantry.errors import AuthenticationFailed, InvalidCursor, InvalidInput, NotAllowed
from tenantry.repositories import User
from tenantry.repositories.audit import AuditEntry, AuditQuery
from tenantry.repositories.notes import AuditAction
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Ticking

PASSWORD = "Correct-Horse-9"
OTHER = "Another-Horse-8"
WRONG = "Wrong-Horse-9"
FROM = "203.0.113.9"
ITSELF = Principal.internal(InternalReason.OPERATE)


@pytest.fixture
def accounts(studio: Studio, clock: Ticking) -> Accounts:
    return Accounts(studio, rules=AccountRules(bcrypt_cost=4), clock=clock)


@pytest.fixture
async def root(accounts: Accounts) -> User:
    return await accounts.register_first_administrator("root@example.com", PASSWORD)


@pytest.fixture
def asking(root: User) -> Principal:
    """Root, who asks over HTTP."""
    return Principal(root.user_id, is_admin=True, method=Method.TOKEN, address=FROM)


@pytest.fixture
async def ana(accounts: Accounts, asking: Principal) -> User:
    return await accounts.register("ana@example.com", PASSWORD, by=asking)


async def trail(studio: Studio, query: AuditQuery | None = None) -> list[AuditEntry]:
    """All entries, oldest first."""
    async with studio.read(ITSELF) as work:
        return (await work.audit.slice(query or AuditQuery(), limit=1_000)).items[::-1]


async def since(studio: Studio, count: int) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.action, entry.detail) for entry in (await trail(studio))[count:]]


async def test_who_did_what_to_whom_from_where_and_when(studio: Studio, root: User, ana: User) -> None:
    """The first administrator made themselves; the second user was made by them."""
    first, second = await trail(studio)
    assert (first.action, first.actor_id, first.subject_id, first.method) == ("user_created", None, root.user_id, "internal")
    assert (second.actor_id, second.subject_id, second.method, second.address) == (root.user_id, ana.user_id, "token", FROM)
    assert second.detail == {"is_admin": False}
    assert second.created_at.startswith("2026-11-23 12:00:00.")


async def test_every_change_of_an_account_is_in_it(accounts: Accounts, studio: Studio, asking: Principal, ana: User) -> None:
    """In its own words, with whoever asked for it."""
    before = len(await trail(studio))
    user_id = ana.user_id
    await accounts.set_admin(user_id, True, by=asking)
    await accounts.set_admin(user_id, False, by=asking)
    await accounts.set_admin(user_id, False, by=asking)
    made = await accounts.create_key(user_id, "Nightly", ["read"], by=asking)
    await accounts.reset_password(user_id, OTHER, by=asking)
    await accounts.suspend(user_id, by=asking)
    await accounts.activate(user_id, by=asking)
    await accounts.lift_wait(email="ana@example.com", by=asking)
    async with studio.begin(asking) as work:
        await work.users.update(user_id, email="anna@example.com", display_name="Anna")
    await accounts.delete(user_id, "transfer", asking.user_id, by=asking)
    assert await since(studio, before) == [
        ("admin_granted", {}),
        ("admin_revoked", {}),
        ("key_created", {"key": made.key.key_id, "scopes": ["read"]}),
        ("password_changed", {"keys_kept": False}),
        ("user_suspended", {}),
        ("logins_ended", {}),
        ("user_activated", {}),
        ("wait_lifted", {"account": True, "address": False}),
        ("user_changed", {"changed": ["display_name", "email"]}),
        ("data_given", {"to": asking.user_id, "rows": 0}),
        ("user_deleted", {}),
    ]
    entries = (await trail(studio))[before:]
    assert {(entry.actor_id, entry.subject_id, entry.address) for entry in entries} == {(asking.user_id, user_id, FROM)}


async def test_who_got_in_and_who_did_not(accounts: Accounts, studio: Studio, ana: User) -> None:
    """Nobody is the actor where nobody was known; what was typed is not kept."""
    before = len(await trail(studio))
    for email, password in (("ana@example.com", WRONG), ("nobody@example.com", WRONG)):
        with pytest.raises(AuthenticationFailed):
            await accounts.authenticate(email, password, address=FROM)
    await accounts.authenticate("ana@example.com", PASSWORD, address=FROM)
    with pytest.raises(InvalidInput):
        await accounts.change_password(ana.user_id, WRONG, OTHER, by=Principal(ana.user_id, method=Method.TOKEN))
    await accounts.suspend(ana.user_id)
    with pytest.raises(NotAllowed):
        await accounts.authenticate("ana@example.com", PASSWORD, address=FROM)
    found = [entry for entry in (await trail(studio))[before:] if entry.action not in {"user_suspended", "logins_ended"}]
    assert [(entry.action, entry.actor_id, entry.subject_id, entry.method, entry.address) for entry in found] == [
        ("login_failed", None, ana.user_id, "internal", FROM),
        ("login_failed", None, None, "internal", FROM),
        ("login", ana.user_id, ana.user_id, "password", FROM),
        ("password_change_failed", ana.user_id, ana.user_id, "token", None),
        ("login_refused", ana.user_id, ana.user_id, "password", FROM),
    ]


async def test_no_secret_and_nothing_that_was_typed_is_in_it(accounts: Accounts, studio: Studio, ana: User) -> None:
    """Neither passwords nor keys nor tokens nor addresses nor names."""
    secret = (await accounts.create_key(ana.user_id, "Private name", ["read"])).secret
    token = await accounts.sign_in("ana@example.com", PASSWORD)
    with pytest.raises(AuthenticationFailed):
        await accounts.authenticate(OTHER, WRONG)
    await accounts.change_password(ana.user_id, PASSWORD, OTHER)
    async with studio.read(ITSELF) as work:
        stored = str([tuple(row) for row in await work.ground.connection.fetch_all(sa.select(audit_entries))])
    for told in (PASSWORD, OTHER, WRONG, secret, secret[4:12], token, "ana@", "Private name", "$2b$"):
        assert told not in stored


async def test_a_change_and_its_entry_come_together_or_not_at_all(studio: Studio, root: User, ana: User) -> None:
    """They are in one transaction."""
    before = await trail(studio)

    async def fail() -> None:
        async with studio.begin(root.principal) as work:
            await work.users.update(ana.user_id, is_admin=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await trail(studio) == before


async def test_what_a_user_does_alone_is_theirs(studio: Studio, ana: User) -> None:
    """Also in the direct mode; and by which key."""
    with studio.direct.begin(ana.principal) as work:
        await work.users.update(ana.user_id, display_name="Anna")
    by_key = Principal(ana.user_id, method=Method.API_KEY, key_id="key-1")
    async with studio.begin(by_key) as work:
        await work.users.update(ana.user_id, display_name="Ana")
    entries = (await trail(studio))[-2:]
    assert [(entry.actor_id, entry.method, entry.key_id) for entry in entries] == [
        (ana.user_id, "library", None),
        (ana.user_id, "api_key", "key-1"),
    ]


async def test_it_is_read_in_parts_and_by_filters(
    accounts: Accounts, studio: Studio, root: User, ana: User, clock: Ticking
) -> None:
    """A part goes on only under the filters with which it began; a tenant reads nothing, not even about themselves."""
    clock.pass_by(hours=1)
    middle = clock()
    for _ in range(3):
        await accounts.authenticate("ana@example.com", PASSWORD, address=FROM)
    async with studio.read(root.principal) as work:
        logins = AuditQuery(action=AuditAction.LOGIN)
        first = await work.audit.slice(logins, limit=2)
        second = await work.audit.slice(logins, limit=2, cursor=first.next_cursor)
        assert (len(first.items), len(second.items), second.next_cursor) == (2, 1, None)
        assert first.items[0].created_at > first.items[1].created_at > second.items[0].created_at
        with pytest.raises(InvalidCursor):
            await work.audit.slice(AuditQuery(), cursor=first.next_cursor)
    counts = {
        AuditQuery(actor_id=ana.user_id): 3,
        AuditQuery(subject_id=ana.user_id): 4,
        AuditQuery(address=FROM, actor_id=ana.user_id): 3,
        AuditQuery(since=middle): 3,
        AuditQuery(until=middle): 2,
        AuditQuery(action=AuditAction.LOGIN, until=middle): 0,
    }
    for query, count in counts.items():
        assert len(await trail(studio, query)) == count, query
    with pytest.raises(NotAllowed):
        async with studio.read(ana.principal) as work:
            await work.audit.slice(AuditQuery())


async def test_old_entries_are_deleted(accounts: Accounts, studio: Studio, ana: User, clock: Ticking) -> None:
    """By the server, after as many days as are set."""
    clock.pass_by(days=9)
    await accounts.authenticate("ana@example.com", PASSWORD)
    clock.pass_by(days=2)
    assert not await prune_audit(studio, timedelta(days=10))
    assert [entry.action for entry in await trail(studio)] == ["login"]
