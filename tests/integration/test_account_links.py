"""Invitations and new passwords by links: good once, for a while, and for what they were made for."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.accounts import AccountRules, Accounts
from tenantry.api.upkeep import prune_logins
from tenantry.database.tables import account_links
from tenantry.errors import AuthenticationFailed, Conflict, InvalidInput, NotFound, ProtectedUser
from tenantry.repositories import User
from tenantry.repositories.audit import AuditQuery
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Ticking

PASSWORD = "Correct-Horse-9"
OTHER = "Another-Horse-8"
ITSELF = Principal.internal(InternalReason.OPERATE)


@pytest.fixture
def accounts(studio: Studio, clock: Ticking) -> Accounts:
    return Accounts(studio, rules=AccountRules(bcrypt_cost=4, login_attempts=2), clock=clock)


@pytest.fixture
async def root(accounts: Accounts) -> User:
    return await accounts.register_first_administrator("root@example.com", PASSWORD)


@pytest.fixture
async def ana(accounts: Accounts, root: User) -> User:
    return await accounts.register("ana@example.com", PASSWORD)


async def test_who_is_invited_makes_an_account_once(accounts: Accounts, studio: Studio, root: User) -> None:
    """With the rights that the administrator chose, and a name and password of their own."""
    made = await accounts.invite("Bo@example.com", is_admin=True, by=root.principal)
    bo = await accounts.redeem(made.secret, OTHER, display_name="Bo", address="203.0.113.9")
    assert (bo.email, bo.display_name, bo.is_admin) == ("bo@example.com", "Bo", True)
    assert (await accounts.authenticate("bo@example.com", OTHER)).user_id == bo.user_id
    with pytest.raises(NotFound):
        await accounts.redeem(made.secret, OTHER)
    async with studio.read(ITSELF) as work:
        entries = (await work.audit.slice(AuditQuery(), limit=3)).items[1:]
    assert [(entry.action, entry.method, entry.actor_id, entry.address) for entry in entries] == [
        ("user_created", "link", None, "203.0.113.9"),
        ("invited", "library", root.user_id, None),
    ]


async def test_a_new_password_ends_what_the_old_one_opened(accounts: Accounts, ana: User) -> None:
    """Tokens, keys, and the wait; until then the old one is good."""
    token = await accounts.sign_in("ana@example.com", PASSWORD)
    key = await accounts.create_key(ana.user_id, "Nightly", ["read"])
    made = await accounts.offer_reset(ana.user_id)
    await accounts.authenticate("ana@example.com", PASSWORD)
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            await accounts.authenticate("ana@example.com", OTHER)
    await accounts.redeem(made.secret, OTHER)
    for secret in (token, key.secret):
        with pytest.raises(AuthenticationFailed):
            await accounts.identify(secret)
    await accounts.authenticate("ana@example.com", OTHER)


async def test_a_refused_password_leaves_the_link_good(accounts: Accounts, ana: User) -> None:
    """Whoever chose a weak one tries again."""
    made = await accounts.offer_reset(ana.user_id)
    with pytest.raises(InvalidInput):
        await accounts.redeem(made.secret, "weak")
    await accounts.redeem(made.secret, OTHER)


async def test_of_many_who_use_a_link_at_once_one_does(accounts: Accounts, root: User) -> None:
    """On any number of servers."""
    made = await accounts.invite("bo@example.com")
    outcomes = await asyncio.gather(
        *[accounts.redeem(made.secret, f"Correct-Horse-{number}") for number in range(4)], return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotFound", "NotFound", "NotFound", "User"]


async def test_a_link_ends_when_it_was_to_or_is_replaced(accounts: Accounts, studio: Studio, ana: User, clock: Ticking) -> None:
    """Or deleted, or its user gets another password, is suspended, or deleted; all are refused in the same words."""
    short = await accounts.invite("bo@example.com", lifetime=timedelta(hours=1))
    clock.pass_by(hours=2)
    replaced = await accounts.invite("bo@example.com")
    deleted = await accounts.invite("bo@example.com")
    async with studio.begin(ITSELF) as work:
        await work.account_links.delete(deleted.link.link_id)
    older, newer = await accounts.offer_reset(ana.user_id), await accounts.offer_reset(ana.user_id)
    await accounts.change_password(ana.user_id, PASSWORD, OTHER)
    suspended = await accounts.offer_reset(ana.user_id)
    await accounts.suspend(ana.user_id)
    await accounts.activate(ana.user_id)
    gone = await accounts.offer_reset(ana.user_id)
    await accounts.delete(ana.user_id, "keep")
    said = set()
    for link in (short, replaced, deleted, older, newer, suspended, gone):
        with pytest.raises(NotFound) as caught:
            await accounts.redeem(link.secret, OTHER)
        said.add(str(caught.value))
    with pytest.raises(NotFound) as caught:
        await accounts.redeem("tnl_\ud800", OTHER)
    assert said == {str(caught.value)}


async def test_a_link_that_cannot_be_is_not_made(accounts: Accounts, ana: User) -> None:
    """For an address that is taken or none, and for who cannot log in."""
    for email, error in (("ANA@example.com", Conflict), ("nonsense", InvalidInput)):
        with pytest.raises(error):
            await accounts.invite(email)
    await accounts.suspend(ana.user_id)
    for user_id, refusal in (("system", ProtectedUser), (ana.user_id, ProtectedUser), ("nobody", NotFound)):
        with pytest.raises(refusal):
            await accounts.offer_reset(user_id)


async def test_an_address_that_was_taken_meanwhile_is_refused(accounts: Accounts, root: User) -> None:
    """And the invitation stays, should it become free."""
    made = await accounts.invite("bo@example.com")
    bo = await accounts.register("bo@example.com", PASSWORD)
    with pytest.raises(Conflict):
        await accounts.redeem(made.secret, OTHER)
    await accounts.delete(bo.user_id, "keep")
    await accounts.redeem(made.secret, OTHER)


async def test_the_secret_is_stored_nowhere(accounts: Accounts, studio: Studio, root: User, clock: Ticking) -> None:
    """And old links are swept away."""
    made = await accounts.invite("bo@example.com")
    async with studio.read(ITSELF) as work:
        stored = str([tuple(row) for row in await work.ground.connection.fetch_all(sa.select(account_links))])
        assert await work.account_links.all() == [made.link]
    assert made.secret not in stored + repr(made)
    clock.pass_by(days=7)
    async with studio.read(ITSELF) as work:
        assert await work.account_links.all() == []
    clock.pass_by(days=2)
    await prune_logins(studio)
    async with studio.read(ITSELF) as work:
        assert await work.ground.connection.fetch_all(sa.select(account_links)) == []
