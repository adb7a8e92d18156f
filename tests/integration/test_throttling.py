"""Failed logins make the next ones wait: by account, by address, over processes, and without telling who exists."""

import asyncio
from datetime import timedelta

import bcrypt
import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.accounts import AccountRules, Accounts
from tenantry.accounts.throttling import account_subject, address_subject
from tenantry.database.tables import login_attempts
from tenantry.errors import AuthenticationFailed, InvalidInput, LimitReached
from tenantry.repositories import User
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Ticking

PASSWORD = "Correct-Horse-9"
WRONG = "Wrong-Horse-9"
RULES = AccountRules(bcrypt_cost=4, login_attempts=3, login_max_wait=timedelta(seconds=60))
ITSELF = Principal.internal(InternalReason.OPERATE)


@pytest.fixture
def accounts(studio: Studio, clock: Ticking) -> Accounts:
    return Accounts(studio, rules=RULES, clock=clock)


@pytest.fixture
async def ana(accounts: Accounts) -> User:
    return await accounts.register_first_administrator("ana@example.com", PASSWORD)


async def fail(accounts: Accounts, email: str = "ana@example.com", address: str | None = None) -> None:
    with pytest.raises(AuthenticationFailed):
        await accounts.authenticate(email, WRONG, address=address)


async def wait_for(accounts: Accounts, email: str = "ana@example.com", address: str | None = None) -> float:
    """The seconds that a login with the right password must wait."""
    with pytest.raises(LimitReached) as caught:
        await accounts.authenticate(email, PASSWORD, address=address)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def test_each_failure_doubles_the_wait(accounts: Accounts, ana: User, clock: Ticking) -> None:
    """From one second to the longest; who comes too early is refused, and that counts for nothing."""
    await fail(accounts)
    await fail(accounts)
    waits = []
    for _ in range(8):
        await fail(accounts)
        waits.append(round(await wait_for(accounts)))
        assert await wait_for(accounts) <= waits[-1]
        clock.pass_by(seconds=waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    await accounts.authenticate("ana@example.com", PASSWORD)
    await fail(accounts)
    await accounts.authenticate("ana@example.com", PASSWORD)


async def test_an_unknown_account_waits_like_any_other(accounts: Accounts, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same words, after as many checks of a hash."""
    checks: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        checks.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    said = set()
    for email in ("ana@example.com", "nobody@example.com", "system@system.invokeai"):
        checks.clear()
        for _ in range(RULES.login_attempts):
            await fail(accounts, email)
        with pytest.raises(LimitReached) as caught:
            await accounts.authenticate(email, PASSWORD)
        said.add((str(caught.value), caught.value.allowed, round(caught.value.retry_after or 0), len(checks)))
    assert said == {(str(caught.value), 3, 1, 3)}


async def test_another_spelling_is_no_way_around(accounts: Accounts, ana: User) -> None:
    """Accounts are counted however their address is written."""
    for email in ("ana@example.com", "ANA@example.com", " Ana@Example.com "):
        await fail(accounts, email)
    await wait_for(accounts)


async def test_guesses_at_once_are_no_more_than_one_after_the_other(accounts: Accounts, ana: User) -> None:
    """An attempt counts before its password is looked at."""
    outcomes = await asyncio.gather(
        *[accounts.authenticate("ana@example.com", WRONG) for _ in range(12)], return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(AuthenticationFailed) == RULES.login_attempts
    assert {type(outcome) for outcome in outcomes} == {AuthenticationFailed, LimitReached}


async def test_an_address_that_tries_many_accounts_waits_too(accounts: Accounts, ana: User) -> None:
    """And others do not."""
    for number in range(5 * RULES.login_attempts):
        await fail(accounts, f"user-{number}@example.com", "203.0.113.9")
    await wait_for(accounts, address="203.0.113.9")
    await accounts.authenticate("ana@example.com", PASSWORD, address="203.0.113.10")
    await accounts.authenticate("ana@example.com", PASSWORD)


async def test_a_success_takes_back_its_own_count_of_the_address_only(
    accounts: Accounts, studio: Studio, ana: User, clock: Ticking
) -> None:
    """Whoever has an account cannot guess others' in between for nothing; and a house that logs in well never waits."""
    for _ in range(40):
        await accounts.authenticate("ana@example.com", PASSWORD, address="203.0.113.9")
    for number in range(5 * RULES.login_attempts - 1):
        await fail(accounts, f"user-{number}@example.com", "203.0.113.9")
        await accounts.authenticate("ana@example.com", PASSWORD, address="203.0.113.9")
    await fail(accounts, "last@example.com", "203.0.113.9")
    await wait_for(accounts, address="203.0.113.9")
    clock.pass_by(seconds=2)
    await accounts.authenticate("ana@example.com", PASSWORD, address="203.0.113.9")
    await fail(accounts, "more@example.com", "203.0.113.9")
    assert await wait_for(accounts, address="203.0.113.9") > 1


async def test_the_wait_outlives_the_process_and_holds_in_all(
    accounts: Accounts, studio: Studio, ana: User, clock: Ticking
) -> None:
    """It is kept in the database, without what was typed."""
    for _ in range(RULES.login_attempts):
        await fail(accounts, address="203.0.113.9")
    await wait_for(Accounts(studio, rules=RULES, clock=clock))
    async with studio.read(ITSELF) as work:
        stored = [row.subject for row in await work.ground.connection.fetch_all(sa.select(login_attempts))]
    assert sorted(name.partition(":")[0] for name in stored) == ["account", "address"]
    assert "ana" not in str(stored)


async def test_failures_are_forgotten_after_a_day(accounts: Accounts, ana: User, clock: Ticking) -> None:
    """Though nobody swept them away."""
    for _ in range(RULES.login_attempts):
        await fail(accounts)
    clock.pass_by(hours=25)
    for _ in range(RULES.login_attempts - 1):
        await fail(accounts)
    await accounts.authenticate("ana@example.com", PASSWORD)


async def test_an_administrator_lifts_the_wait(accounts: Accounts, ana: User) -> None:
    """By account and by address; a new password lifts the account's too."""
    for _ in range(RULES.login_attempts):
        await fail(accounts)
    assert await accounts.lift_wait(email="Ana@example.com")
    assert not await accounts.lift_wait(email="ana@example.com", address="203.0.113.9")
    for _ in range(RULES.login_attempts):
        await fail(accounts)
    await accounts.reset_password(ana.user_id, "Another-Horse-8")
    assert (await accounts.authenticate("ana@example.com", "Another-Horse-8")).user_id == ana.user_id


async def test_a_wrong_current_password_counts_too(accounts: Accounts, ana: User) -> None:
    """Whoever found an open browser guesses no faster than others."""
    for _ in range(RULES.login_attempts):
        with pytest.raises(InvalidInput):
            await accounts.change_password(ana.user_id, WRONG, "Another-Horse-8")
    with pytest.raises(LimitReached):
        await accounts.change_password(ana.user_id, PASSWORD, "Another-Horse-8")
    await wait_for(accounts)


def test_an_address_of_ipv6_stands_for_its_network() -> None:
    """Whoever has one has them all; an IPv4 address is the same in either form."""
    one, other, far, old, mapped = (
        address_subject(address, RULES).name
        for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:1::1", "203.0.113.9", "::ffff:203.0.113.9")
    )
    assert one == other != far
    assert old == mapped
    assert account_subject("\ud800", RULES).name.startswith("account:")
