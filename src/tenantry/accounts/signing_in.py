"""Signing in, and who a token or an API key belongs to."""

import hmac
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from tenantry.accounts import api_keys, tokens
from tenantry.accounts.ground import AccountRules, AccountsGround
from tenantry.accounts.passwords import check_password, hash_password, password_matches
from tenantry.accounts.throttling import account_subject, address_subject, too_early
from tenantry.accounts.tokens import Claims
from tenantry.database import Clock, timestamp, utc_now
from tenantry.errors import AuthenticationFailed, NotAllowed, NotFound
from tenantry.repositories import UnitOfWork
from tenantry.repositories.api_keys import ApiKey, StoredKey
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.users import Credentials, User, UserKind
from tenantry.tenancy import InternalReason, Method, Principal, Scope

__all__ = ["SigningIn"]

T = TypeVar("T")

_USE_NOTED_EVERY = timedelta(minutes=1)
"""A key's use is written down so often at most: it is read at each request."""


class SigningIn:
    """Passwords for tokens, and tokens for principals."""

    def __init__(self, ground: AccountsGround, *, rules: AccountRules | None = None, clock: Clock = utc_now) -> None:
        self._ground = ground
        self._rules = rules or AccountRules()
        self._clock = clock
        self._secret: str | None = None

    async def authenticate(self, email: str, password: str, *, address: str | None = None) -> User:
        """The user of this e-mail address and password, noting the login.

        Raises `AuthenticationFailed`, which is the same for an unknown account and takes as long; `LimitReached` after too
        many failures of the account or of the network address, in the same way; and `NotAllowed` for a deactivated user
        whose password is right.
        """
        nobody = _authenticating(address=address)
        known = await self._prove(email, password, nobody, AuditAction.LOGIN_FAILED)
        if known is None:
            raise AuthenticationFailed
        somebody = _authenticating(Principal(known.user.user_id, method=Method.PASSWORD, address=address))
        if not known.user.is_active:
            async with self._ground.begin(somebody) as work:
                await work.audit.note(AuditAction.LOGIN_REFUSED, known.user.user_id)
            raise NotAllowed("This account is deactivated.", remedy="Ask an administrator.")
        async with self._ground.begin(somebody) as work:
            return await work.users.touch_login(known.user.user_id)

    async def _prove(self, email: str, password: str, by: Principal | None, failure: AuditAction) -> Credentials | None:
        """The user whose password this is, and None for a failure, which counts and is noted. Raises `LimitReached`."""
        account = account_subject(email, self._rules)
        address = by.address if by else None
        others = [] if address is None else [address_subject(address, self._rules)]
        async with self._ground.read(_authenticating()) as work:
            known = await work.users.credentials(email)
            wait = await work.login_attempts.wait([account, *others])
        if not wait:
            # Counted first: of many at once only so many are tried as one after the other would be.
            async with self._ground.begin(_authenticating()) as work:
                wait = await work.login_attempts.begin([account, *others], self._rules.login_max_wait)
        if wait:
            raise too_early(wait, self._rules)
        right = await password_matches(password, known.password_hash if known else None, self._rules.bcrypt_cost)
        if known is None or not right:
            async with self._ground.begin(_authenticating(by, address)) as work:
                await work.audit.note(failure, known.user.user_id if known else None)
            return None
        async with self._ground.begin(_authenticating()) as work:
            await work.login_attempts.succeed(account, others)
        return known

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
        """The user of a token or an API key, with the rights that they have at this moment. Raises `AuthenticationFailed`.

        What a key may be used for is in the principal's `scopes`; who lets somebody in by it asks them.
        """
        if api_keys.is_api_key(token):
            return await self._key_holder(token)
        claims = await self.claims(token)
        return _recognised(claims, await self._reading(lambda work: _found(work, claims)))

    def identify_now(self, token: str) -> Principal:
        """Like `identify`, for a thread without an event loop, and for access tokens alone."""
        if self._secret is None:
            self._secret = self._secret_now()
        claims = tokens.read(token, self._secret, now=self._clock())
        return _recognised(claims, self._ground.direct.reading(_authenticating(), lambda work: _found(work, claims)))

    async def derived_secret(self, purpose: str) -> str:
        """A secret of the studio's for another purpose than tokens: the same on every server, and of no use for tokens."""
        return tokens.derived(await self._signing_secret(), purpose)

    async def _key_holder(self, secret: str) -> Principal:
        wanted = api_keys.digest(secret)
        stored = await self._reading(lambda work: work.api_keys.find(wanted))
        if stored is None or not hmac.compare_digest(stored.key_hash, wanted) or not self._is_good(stored):
            raise tokens.refused()
        await self._note_use(stored.key)
        key, user = stored.key, stored.user
        is_admin = user.is_admin and Scope.ADMIN in key.scopes
        return Principal(user.user_id, is_admin=is_admin, method=Method.API_KEY, scopes=key.scopes, key_id=key.key_id)

    def _is_good(self, stored: StoredKey) -> bool:
        expires_at = stored.key.expires_at
        alive = expires_at is None or timestamp(self._clock()) < expires_at
        return alive and stored.user.kind is UserKind.PERSON and stored.user.is_active

    async def _note_use(self, key: ApiKey) -> None:
        before = self._clock() - _USE_NOTED_EVERY
        if key.last_used_at is None or key.last_used_at < timestamp(before):
            async with self._ground.begin(_authenticating()) as work:
                await work.api_keys.touch(key.key_id, before)

    @asynccontextmanager
    async def _administering(self, by: Principal | None, address: str | None = None) -> AsyncIterator[UnitOfWork]:
        itself = Principal.internal(InternalReason.ADMINISTER_ACCOUNTS, asked_by=by, address=address)
        async with self._ground.begin(itself) as work:
            yield work

    async def _hash(self, password: str) -> str:
        check_password(password, strict=self._rules.strict_passwords)
        return await hash_password(password, self._rules.bcrypt_cost)

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


def _authenticating(by: Principal | None = None, address: str | None = None) -> Principal:
    return Principal.internal(InternalReason.AUTHENTICATE, asked_by=by, address=address)
