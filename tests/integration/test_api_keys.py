"""API keys: what they open, what ends them, and what is known of them, on both databases."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tenantry import Method, Principal, Studio
from tenantry.accounts import AccountRules, Accounts
from tenantry.database.tables import api_keys
from tenantry.errors import AuthenticationFailed, Conflict, InvalidInput, NotAllowed, NotFound, ProtectedUser
from tenantry.repositories import ApiKey, User
from tenantry.repositories.api_keys import MAX_KEYS
from tenantry.tenancy import InternalReason, Scope
from tests.integration.conftest import Ticking

PASSWORD = "Correct-Horse-9"
OTHER = "Another-Horse-8"
ITSELF = Principal.internal(InternalReason.OPERATE)


@pytest.fixture
def accounts(studio: Studio, clock: Ticking) -> Accounts:
    return Accounts(studio, rules=AccountRules(bcrypt_cost=4), clock=clock)


@pytest.fixture
async def root(accounts: Accounts) -> User:
    return await accounts.register_first_administrator("root@example.com", PASSWORD)


@pytest.fixture
async def ana(accounts: Accounts, root: User) -> User:
    return await accounts.register("ana@example.com", PASSWORD)


async def test_a_key_is_its_user_within_its_scopes(accounts: Accounts, ana: User) -> None:
    """And says by which key somebody came."""
    made = await accounts.create_key(ana.user_id, "Nightly", [Scope.READ, Scope.QUEUE])
    principal = await accounts.identify(made.secret)
    scopes = frozenset({Scope.READ, Scope.QUEUE})
    assert principal == Principal(ana.user_id, method=Method.API_KEY, scopes=scopes, key_id=made.key.key_id)
    principal.require(Scope.QUEUE)
    with pytest.raises(NotAllowed, match="library"):
        principal.require(Scope.LIBRARY)


async def test_the_key_itself_is_stored_nowhere(accounts: Accounts, studio: Studio, ana: User) -> None:
    """And shows itself to nobody who prints it by mistake."""
    made = await accounts.create_key(ana.user_id, "Nightly", [Scope.READ])
    assert made.secret.startswith(made.key.prefix)
    assert (made.secret[:4], len(made.secret), len(made.key.prefix)) == ("tny_", 47, 10)
    async with studio.read(ITSELF) as work:
        (row,) = await work.ground.connection.fetch_all(sa.select(api_keys))
        assert made.secret[10:] not in str(tuple(row))
        found = await work.api_keys.find(row.key_hash)
    assert found is not None
    for shown in (repr(made), repr(found)):
        assert made.secret[10:] not in shown
        assert row.key_hash not in shown


@pytest.mark.parametrize("token", ["tny_", "tny_nonsense", "tny_" + "x" * 43, "tny_\ud800", "tny_" + "x" * 10_000])
async def test_what_is_no_key_is_refused_like_any_token(accounts: Accounts, ana: User, token: str) -> None:
    """In the same words."""
    with pytest.raises(AuthenticationFailed) as caught:
        await accounts.identify(token)
    with pytest.raises(AuthenticationFailed) as other:
        await accounts.identify("nonsense")
    assert str(caught.value) == str(other.value)


async def test_only_the_scope_makes_an_administrators_key_an_administrator(accounts: Accounts, root: User, ana: User) -> None:
    """With the rights of the moment; nobody else's key gets the scope."""
    plain = await accounts.create_key(root.user_id, "Plain", [Scope.READ])
    great = await accounts.create_key(root.user_id, "Great", [Scope.READ, Scope.ADMIN])
    assert not (await accounts.identify(plain.secret)).is_admin
    assert (await accounts.identify(great.secret)).is_admin
    await accounts.set_admin(ana.user_id, True)
    await accounts.set_admin(root.user_id, False)
    assert not (await accounts.identify(great.secret)).is_admin
    with pytest.raises(InvalidInput) as caught:
        await accounts.create_key(root.user_id, "Again", [Scope.ADMIN])
    assert caught.value.field == "scopes"


async def test_a_key_ends_when_it_was_to(accounts: Accounts, ana: User, clock: Ticking) -> None:
    """By the studio's clock; one without an end goes on."""
    short = await accounts.create_key(ana.user_id, "Short", [Scope.READ], timedelta(days=1))
    endless = await accounts.create_key(ana.user_id, "Endless", [Scope.READ])
    clock.pass_by(hours=23)
    await accounts.identify(short.secret)
    clock.pass_by(hours=2)
    await _assert_refused(accounts, short.secret)
    await accounts.identify(endless.secret)


async def test_the_last_use_is_noted_once_a_minute(accounts: Accounts, studio: Studio, ana: User, clock: Ticking) -> None:
    """However often it is used, and by however many at once."""
    made = await accounts.create_key(ana.user_id, "Nightly", [Scope.READ])
    assert made.key.last_used_at is None
    await asyncio.gather(*[accounts.identify(made.secret) for _ in range(4)])
    first = (await _keys(studio, ana))[0].last_used_at
    clock.pass_by(seconds=50)
    await accounts.identify(made.secret)
    assert (await _keys(studio, ana))[0].last_used_at == first
    clock.pass_by(seconds=20)
    await accounts.identify(made.secret)
    assert str((await _keys(studio, ana))[0].last_used_at) > str(first)


async def test_a_deleted_key_opens_nothing(accounts: Accounts, studio: Studio, root: User, ana: User) -> None:
    """It is deleted by its user, and by an administrator who does not claim it as an own one."""
    first, second = [await accounts.create_key(ana.user_id, name, [Scope.READ]) for name in ("One", "Two")]
    async with studio.begin(ana.principal) as work:
        await work.api_keys.delete(first.key.key_id, user_id=ana.user_id)
    await _assert_refused(accounts, first.secret)
    with pytest.raises(NotFound):
        async with studio.begin(root.principal) as work:
            await work.api_keys.delete(second.key.key_id, user_id=root.user_id)
    await accounts.identify(second.secret)
    async with studio.begin(root.principal) as work:
        await work.api_keys.delete(second.key.key_id)
    await _assert_refused(accounts, second.secret)
    with pytest.raises(NotFound):
        async with studio.begin(root.principal) as work:
            await work.api_keys.delete(second.key.key_id)


async def test_what_ends_a_users_keys(accounts: Accounts, studio: Studio, ana: User) -> None:
    """Suspending, a password of the administrator's, the user's own unless they keep them; not the end of all tokens."""
    secret = (await accounts.create_key(ana.user_id, "Kept", [Scope.READ])).secret
    async with studio.begin(ITSELF) as work:
        await work.users.end_tokens(ana.user_id)
    await accounts.change_password(ana.user_id, PASSWORD, OTHER, keep_keys=True)
    await accounts.identify(secret)
    await accounts.change_password(ana.user_id, OTHER, PASSWORD)
    await _assert_refused(accounts, secret)
    secret = (await accounts.create_key(ana.user_id, "Reset", [Scope.READ])).secret
    await accounts.reset_password(ana.user_id, OTHER)
    await _assert_refused(accounts, secret)
    secret = (await accounts.create_key(ana.user_id, "Suspended", [Scope.READ])).secret
    await accounts.suspend(ana.user_id)
    await _assert_refused(accounts, secret)
    await accounts.activate(ana.user_id)
    await _assert_refused(accounts, secret)
    secret = (await accounts.create_key(ana.user_id, "Deleted", [Scope.READ])).secret
    await accounts.delete(ana.user_id, "keep")
    await _assert_refused(accounts, secret)


async def test_a_key_that_cannot_be_is_refused_by_field(accounts: Accounts, ana: User) -> None:
    """And nobody gets one who cannot log in."""
    attempts: list[tuple[str, list[str], float, str]] = [
        (" ", ["read"], 1, "name"),
        ("x" * 301, ["read"], 1, "name"),
        ("Fine", [], 1, "scopes"),
        ("Fine", ["everything"], 1, "scopes"),
        ("Fine", ["read"], -1, "expires_at"),
    ]
    for name, scopes, days, field in attempts:
        with pytest.raises(InvalidInput) as caught:
            await accounts.create_key(ana.user_id, name, scopes, timedelta(days=days))
        assert caught.value.field == field
    await accounts.suspend(ana.user_id)
    for user_id, error in (("system", ProtectedUser), (ana.user_id, ProtectedUser), ("nobody", NotFound)):
        with pytest.raises(error):
            await accounts.create_key(user_id, "Fine", ["read"])


async def test_a_user_has_so_many_keys_at_most(accounts: Accounts, ana: User) -> None:
    """Also of those that are made at once."""
    for number in range(MAX_KEYS - 1):
        await accounts.create_key(ana.user_id, f"Key {number}", ["read"])
    outcomes = await asyncio.gather(
        *[accounts.create_key(ana.user_id, "Last", ["read"]) for _ in range(3)], return_exceptions=True
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2


async def test_keys_are_listed_in_parts(accounts: Accounts, studio: Studio, root: User, ana: User) -> None:
    """Newest first; an administrator sees everybody's."""
    for owner, name in ((ana, "One"), (root, "Two"), (ana, "Three")):
        await accounts.create_key(owner.user_id, name, ["read"])
    async with studio.read(root.principal) as work:
        first = await work.api_keys.slice(limit=2)
        second = await work.api_keys.slice(limit=2, cursor=first.next_cursor)
        hers = await work.api_keys.slice(user_id=ana.user_id)
    assert [key.name for key in (*first.items, *second.items)] == ["Three", "Two", "One"]
    assert second.next_cursor is None
    assert hers.items == await _keys(studio, ana)
    assert [key.name for key in hers.items] == ["Three", "One"]


async def test_a_thread_without_an_event_loop_takes_tokens_alone(accounts: Accounts, ana: User) -> None:
    """Whoever works there could not hold a key to its scopes."""
    made = await accounts.create_key(ana.user_id, "Nightly", ["read"])
    with pytest.raises(AuthenticationFailed):
        await asyncio.to_thread(accounts.identify_now, made.secret)


async def _keys(studio: Studio, user: User) -> list[ApiKey]:
    async with studio.read(user.principal) as work:
        return (await work.api_keys.slice()).items


async def _assert_refused(accounts: Accounts, secret: str) -> None:
    with pytest.raises(AuthenticationFailed):
        await accounts.identify(secret)
