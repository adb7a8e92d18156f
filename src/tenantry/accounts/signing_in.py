"""Signing in, and who a token belongs to."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tenantry.accounts import tokens
from tenantry.accounts.ground import AccountRules, AccountsGround
from tenantry.accounts.passwords import password_matches
from tenantry.accounts.tokens import Claims
from tenantry.database import Clock, utc_now
from tenantry.errors import AuthenticationFailed, NotAllowed, NotFound
from tenantry.repositories import UnitOfWork
from tenantry.repositories.users import User, UserKind
from tenantry.tenancy import InternalReason, Method, Principal

__all__ = ["SigningIn"]

T = TypeVar("T")


class SigningIn:
    """Passwords for tokens, and tokens for principals."""

    def __init__(self, ground: AccountsGround, *, rules: AccountRules | None = None, clock: Clock = utc_now) -> None:
        self._ground = ground
        self._rules = rules or AccountRules()
        self._clock = clock
        self._secret: str | None = None

    async def authenticate(self, email: str, password: str) -> User:
        """The user of this address and password, noting the login.

        Raises `AuthenticationFailed`, which is the same for an unknown address and takes as long, and `NotAllowed` for a
        deactivated user whose password is right.
        """
        async with self._ground.read(_authenticating()) as work:
            known = await work.users.credentials(email)
        right = await password_matches(password, known.password_hash if known else None, self._rules.bcrypt_cost)
        if known is None or not right:
            raise AuthenticationFailed
        if not known.user.is_active:
            raise NotAllowed("This account is deactivated.", remedy="Ask an administrator.")
        async with self._ground.begin(_authenticating()) as work:
            return await work.users.touch_login(known.user.user_id)

    async def sign_in(self, email: str, password: str, remember_me: bool = False) -> str:
        """A token for the user of this address and password; one to remember lives longer. Raises like `authenticate`."""
        user = await self.authenticate(email, password)
        return await self.issue(user, remember_me=remember_me)

    async def issue(self, user: User, *, remember_me: bool = False) -> str:
        """A token for a user who proved who they are. Raises `AuthenticationFailed` for one who cannot log in."""
        if user.kind is not UserKind.PERSON or not user.is_active:
            raise tokens.refused()
        rules = self._rules
        lifetime = rules.remembered_token_lifetime if remember_me else rules.token_lifetime
        secret = await self._signing_secret()
        return tokens.issue(user, secret, now=self._clock(), lifetime=lifetime, remember_me=remember_me)

    async def claims(self, token: str) -> Claims:
        """What a genuine token says, whatever became of its user. Raises `AuthenticationFailed`."""
        return tokens.read(token, await self._signing_secret(), now=self._clock())

    async def identify(self, token: str) -> Principal:
        """The user of a token, with the rights that they have at this moment. Raises `AuthenticationFailed`."""
        claims = await self.claims(token)
        return _recognised(claims, await self._reading(lambda work: _found(work, claims)))

    def identify_now(self, token: str) -> Principal:
        """Like `identify`, for a thread without an event loop."""
        if self._secret is None:
            self._secret = self._secret_now()
        claims = tokens.read(token, self._secret, now=self._clock())
        return _recognised(claims, self._ground.direct.reading(_authenticating(), lambda work: _found(work, claims)))

    async def derived_secret(self, purpose: str) -> str:
        """A secret of the studio's for another purpose than tokens: the same on every server, and of no use for tokens."""
        return tokens.derived(await self._signing_secret(), purpose)

    async def _reading(self, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T:
        """One short read; on SQLite it costs less in place than the way to a thread and back."""
        if self._ground.dialect == "sqlite":
            return self._ground.direct.reading(_authenticating(), operation)
        async with self._ground.read(_authenticating()) as work:
            return await operation(work)

    async def _signing_secret(self) -> str:
        if self._secret is None:
            stored = await self._reading(_stored_secret)
            if stored is None:
                async with self._ground.begin(_authenticating()) as work:
                    stored = await _made_secret(work)
            self._secret = tokens.check_secret(stored)
        return self._secret

    def _secret_now(self) -> str:
        stored = self._ground.direct.reading(_authenticating(), _stored_secret)
        return tokens.check_secret(stored or self._ground.direct.writing(_authenticating(), _made_secret))


async def _stored_secret(work: UnitOfWork) -> str | None:
    return await work.app_settings.get(tokens.SECRET_SETTING)


async def _made_secret(work: UnitOfWork) -> str:
    return await work.app_settings.get_or_create(tokens.SECRET_SETTING, tokens.new_secret())


async def _found(work: UnitOfWork, claims: Claims) -> User | None:
    try:
        return await work.users.get(claims.user_id)
    except NotFound:
        return None


def _recognised(claims: Claims, user: User | None) -> Principal:
    if user is None or user.kind is not UserKind.PERSON or not user.is_active or user.token_epoch != claims.token_epoch:
        raise tokens.refused()
    return Principal(user.user_id, is_admin=user.is_admin, method=Method.TOKEN)


def _authenticating() -> Principal:
    return Principal.internal(InternalReason.AUTHENTICATE)
