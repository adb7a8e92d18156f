"""Accounts: registering, signing in, who a token belongs to, and changing rights, on both databases."""

import asyncio
from datetime import timedelta

import bcrypt
import jwt
import pytest
import sqlalchemy as sa

from tenantry import Method, Principal, Studio, TenantryError
from tenantry.accounts import AccountRules, Accounts
from tenantry.database.tables import app_settings, users
from tenantry.errors import (
    AuthenticationFailed,
    Conflict,
    InvalidInput,
    LastAdministrator,
    NotAllowed,
    NotFound,
    ProtectedUser,
)
from tenantry.repositories import User
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Ticking

PASSWORD = "Correct-Horse-9"
OTHER = "Another-Horse-8"
ITSELF = Principal.internal(InternalReason.OPERATE)


@pytest.fixture
def accounts(studio: Studio, clock: Ticking) -> Accounts:
    """Accounts whose passwords cost little."""
    return Accounts(studio, rules=AccountRules(bcrypt_cost=4), clock=clock)


@pytest.fixture
async def root(accounts: Accounts) -> User:
    """The first administrator."""
    return await accounts.register_first_administrator("root@example.com", PASSWORD, display_name="Root")


@pytest.fixture
async def ana(accounts: Accounts, root: User) -> User:
    """A user like others."""
    return await accounts.register("Ana@Example.com", PASSWORD, display_name="Ana")


async def test_a_registered_user_acts_at_once(studio: Studio, ana: User) -> None:
    """With the rights that they were given."""
    assert (ana.email, ana.display_name, ana.is_admin) == ("ana@example.com", "Ana", False)
    async with studio.begin(ana.principal) as work:
        board = await work.boards.create("Foxes")
    assert board.user_id == ana.user_id


async def test_an_account_that_cannot_be_is_refused_by_field(accounts: Accounts, ana: User) -> None:
    """And leaves nothing behind."""
    attempts = [
        ("ana@example.com", PASSWORD, None, Conflict, "email"),
        ("ANA@EXAMPLE.COM", PASSWORD, None, Conflict, "email"),
        ("nonsense", PASSWORD, None, InvalidInput, "email"),
        ("bo@example.com", "weak", None, InvalidInput, "password"),
        ("bo@example.com", PASSWORD, "x" * 301, InvalidInput, "display_name"),
        ("bo@example.com", PASSWORD, "a\0", InvalidInput, "display_name"),
    ]
    for email, password, name, error, field in attempts:
        with pytest.raises(error) as caught:
            await accounts.register(email, password, name)
        assert caught.value.field == field
        assert PASSWORD not in str(caught.value)
    with pytest.raises(AuthenticationFailed):
        await accounts.authenticate("bo@example.com", PASSWORD)


async def test_weak_passwords_are_taken_where_the_studio_is_not_strict(studio: Studio) -> None:
    """But never an empty one."""
    accounts = Accounts(studio, rules=AccountRules(bcrypt_cost=4, strict_passwords=False))
    await accounts.register("ana@example.com", "weak")
    assert (await accounts.authenticate("ana@example.com", "weak")).email == "ana@example.com"
    with pytest.raises(InvalidInput):
        await accounts.register("bo@example.com", "")


async def test_a_studio_is_set_up_once(accounts: Accounts) -> None:
    """Whoever comes later is refused before anything is hashed, whatever they send."""
    assert not await accounts.has_administrator()
    await accounts.register_first_administrator("root@example.com", PASSWORD)
    assert await accounts.has_administrator()
    with pytest.raises(Conflict):
        await accounts.register_first_administrator("other@example.com", "weak")


async def test_signing_in_gives_a_token_that_says_who_one_is(accounts: Accounts, ana: User, root: User) -> None:
    """In either spelling of the address, and in both modes."""
    for email in ("ana@example.com", "Ana@Example.com", " ANA@example.com "):
        token = await accounts.sign_in(email, PASSWORD)
        expected = Principal(ana.user_id, method=Method.TOKEN)
        assert await accounts.identify(token) == expected
        assert await asyncio.to_thread(accounts.identify_now, token) == expected
    assert (await accounts.user(ana.user_id)).last_login_at is not None
    assert (await accounts.identify(await accounts.sign_in("root@example.com", PASSWORD))).is_admin


async def test_a_direct_caller_may_be_the_first_to_need_the_secret(studio: Studio, accounts: Accounts, ana: User) -> None:
    """It is made then, and everybody uses it."""
    with pytest.raises(AuthenticationFailed):
        await asyncio.to_thread(accounts.identify_now, "nonsense")
    token = await Accounts(studio, rules=AccountRules(bcrypt_cost=4)).issue(ana)
    assert accounts.identify_now(token).user_id == ana.user_id


async def test_the_secret_is_sixty_four_hexadecimal_digits(studio: Studio, accounts: Accounts, ana: User) -> None:
    """As InvokeAI's, under its name; a token carries InvokeAI's claims."""
    token = await accounts.sign_in("ana@example.com", PASSWORD, remember_me=True)
    async with studio.read(ITSELF) as work:
        secret = await work.app_settings.get("jwt_secret")
    assert secret is not None
    assert len(bytes.fromhex(secret)) == 32
    claims = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_exp": False})
    assert sorted(claims) == ["email", "exp", "is_admin", "remember_me", "token_epoch", "user_id"]


async def test_a_secret_that_is_too_short_signs_nobody_in(studio: Studio, accounts: Accounts, ana: User) -> None:
    """An import might bring it."""
    async with studio.begin(ITSELF) as work:
        await work.app_settings.set("jwt_secret", "feed")
    with pytest.raises(TenantryError, match="too short"):
        await accounts.sign_in("ana@example.com", PASSWORD)


async def test_tokens_live_a_day_or_a_week(accounts: Accounts, ana: User, clock: Ticking) -> None:
    """By the studio's clock."""
    short = await accounts.sign_in("ana@example.com", PASSWORD)
    long = await accounts.sign_in("ana@example.com", PASSWORD, True)
    clock.now += timedelta(hours=23)
    await accounts.identify(short)
    clock.now += timedelta(hours=2)
    with pytest.raises(AuthenticationFailed):
        await accounts.identify(short)
    await accounts.identify(long)
    clock.now += timedelta(days=6)
    with pytest.raises(AuthenticationFailed):
        await accounts.identify(long)


async def test_a_failed_login_does_not_say_why(accounts: Accounts, studio: Studio, ana: User) -> None:
    """Not for an unknown address, a wrong password, or a user who cannot log in, whatever their row holds."""
    await _give_hash(studio, "system", PASSWORD)
    said = set()
    attempts = [("ana@example.com", OTHER), ("no@example.com", PASSWORD), ("ana@example.com", ""), ("", PASSWORD)]
    for email, password in [*attempts, ("system@system.invokeai", PASSWORD), ("ana@example.com", "\ud800")]:
        with pytest.raises(AuthenticationFailed) as caught:
            await accounts.authenticate(email, password)
        said.add(str(caught.value))
    assert len(said) == 1


async def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    accounts: Accounts, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One check of one hash each."""
    checks: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        checks.append(hashed[:7])
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    for email in ("ana@example.com", "no@example.com", "system@system.invokeai"):
        with pytest.raises(AuthenticationFailed):
            await accounts.authenticate(email, OTHER)
    assert checks == [b"$2b$04$"] * 3


async def test_an_imported_users_long_password_still_opens(accounts: Accounts, studio: Studio, ana: User) -> None:
    """InvokeAI cut it after 72 bytes."""
    async with studio.begin(ITSELF) as work:
        hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
        await work.users.set_password(ana.user_id, hashed)
    assert (await accounts.authenticate("ana@example.com", "x" * 90)).user_id == ana.user_id


async def test_rights_are_read_anew_at_each_request(accounts: Accounts, ana: User) -> None:
    """Whatever the token says."""
    token = await accounts.sign_in("ana@example.com", PASSWORD)
    await accounts.set_admin(ana.user_id, True)
    assert (await accounts.identify(token)).is_admin
    await accounts.set_admin(ana.user_id, False)
    assert not (await accounts.identify(token)).is_admin


async def test_a_token_ends_with_what_it_stood_for(accounts: Accounts, studio: Studio, ana: User) -> None:
    """A new password, a suspension, the end of the account, or a user who was never a person."""
    token = await accounts.sign_in("ana@example.com", PASSWORD)
    await accounts.change_password(ana.user_id, PASSWORD, OTHER)
    await _assert_refused(accounts, token)
    token = await accounts.sign_in("ana@example.com", OTHER)
    await accounts.suspend(ana.user_id)
    await _assert_refused(accounts, token)
    await accounts.activate(ana.user_id)
    await _assert_refused(accounts, token)
    token = await accounts.sign_in("ana@example.com", OTHER)
    await accounts.delete(ana.user_id, data="delete")
    await _assert_refused(accounts, token)


async def test_the_system_user_gets_no_token_and_none_is_taken(accounts: Accounts, studio: Studio, ana: User) -> None:
    """Not even one that is signed well."""
    with pytest.raises(AuthenticationFailed):
        await accounts.issue(await accounts.user("system"))
    await accounts.sign_in("ana@example.com", PASSWORD)
    async with studio.read(ITSELF) as work:
        secret = await work.ground.connection.fetch_value(sa.select(app_settings.c.value))
    claims = {"user_id": "system", "email": "", "is_admin": True, "remember_me": False, "token_epoch": 0, "exp": 2**40}
    await _assert_refused(accounts, jwt.encode(claims, secret, algorithm="HS256"))


async def test_a_suspended_user_stays_out_and_is_told_so(accounts: Accounts, ana: User) -> None:
    """Only whoever knows the password is told."""
    await accounts.suspend(ana.user_id)
    with pytest.raises(NotAllowed):
        await accounts.sign_in("ana@example.com", PASSWORD)
    with pytest.raises(AuthenticationFailed):
        await accounts.sign_in("ana@example.com", OTHER)
    await accounts.activate(ana.user_id)
    await accounts.sign_in("ana@example.com", PASSWORD)


async def test_a_password_is_changed_by_who_knows_it(accounts: Accounts, ana: User) -> None:
    """And only to one that is good enough."""
    with pytest.raises(InvalidInput) as wrong:
        await accounts.change_password(ana.user_id, OTHER, OTHER)
    assert wrong.value.field == "current_password"
    with pytest.raises(InvalidInput) as weak:
        await accounts.change_password(ana.user_id, PASSWORD, "weak")
    assert weak.value.field == "password"
    await accounts.authenticate("ana@example.com", PASSWORD)
    await accounts.change_password(ana.user_id, PASSWORD, OTHER)
    await accounts.authenticate("ana@example.com", OTHER)
    await accounts.reset_password(ana.user_id, PASSWORD)
    await accounts.authenticate("ana@example.com", PASSWORD)


async def test_of_two_who_change_a_password_at_once_one_is_told(accounts: Accounts, ana: User) -> None:
    """So that nobody believes in a password that is gone."""
    new = [f"Changed-Horse-{number}" for number in range(2)]
    outcomes = await asyncio.gather(
        *[accounts.change_password(ana.user_id, PASSWORD, password) for password in new], return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict | InvalidInput)]
    changed = [password for password, outcome in zip(new, outcomes, strict=True) if isinstance(outcome, User)]
    assert (len(refused), len(changed)) == (1, 1)
    await accounts.authenticate("ana@example.com", changed[0])


async def test_what_must_not_be_is_refused(accounts: Accounts, root: User, ana: User) -> None:
    """The last administrator, the system user, and nobody at all."""
    for attempt in (accounts.suspend, lambda user: accounts.set_admin(user, False), lambda user: accounts.delete(user, "keep")):
        with pytest.raises(LastAdministrator):
            await attempt(root.user_id)
    for attempt in (
        accounts.suspend,
        lambda user: accounts.set_admin(user, True),
        lambda user: accounts.delete(user, "delete"),
    ):
        with pytest.raises(ProtectedUser):
            await attempt("system")
        with pytest.raises(NotFound):
            await attempt("nobody")
    with pytest.raises(ProtectedUser):
        await accounts.reset_password("system", PASSWORD)
    assert (await accounts.user(root.user_id)).is_admin


async def test_a_studio_has_its_accounts(studio: Studio) -> None:
    """By default, with what its settings say."""
    assert studio.accounts is studio.accounts
    with pytest.raises(AuthenticationFailed):
        await studio.accounts.identify("nonsense")


async def _give_hash(studio: Studio, user_id: str, password: str) -> None:
    """A hash where none may be, as damage to the database would leave it."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    async with studio.begin(ITSELF) as work:
        change = sa.update(users).where(users.c.user_id == user_id).values(password_hash=hashed)
        await work.ground.connection.execute(change)


async def _assert_refused(accounts: Accounts, token: str) -> None:
    with pytest.raises(AuthenticationFailed):
        await accounts.identify(token)
