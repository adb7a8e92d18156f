"""Invitations and new passwords by links that are good once."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from tenantry.accounts.signing_in import SigningIn
from tenantry.accounts.throttling import account_subject
from tenantry.repositories.account_links import AccountLink
from tenantry.repositories.users import User
from tenantry.tenancy import SYSTEM_USER_ID, Method, Principal

__all__ = ["INVITATION_LIFETIME", "RESET_LIFETIME", "Linking", "NewLink"]

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=24)

_MARK = "tnl_"
"""How what is in a link begins; no key and no token begins so."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was made just now, and the secret in it, which is shown this once."""

    link: AccountLink
    secret: str = field(repr=False)


class Linking(SigningIn):
    """Makes links for those whom an administrator wants in, and lets in who has one."""

    async def invite(
        self,
        email: str,
        *,
        is_admin: bool = False,
        lifetime: timedelta = INVITATION_LIFETIME,
        by: Principal | None = None,
    ) -> NewLink:
        """Invite somebody to make an account for themselves. Raises `InvalidInput`, and `Conflict` for a user's address."""
        secret, expires_at = _new_secret(), self._clock() + lifetime
        async with self._administering(by) as work:
            link = await work.account_links.invite(email, is_admin=is_admin, secret_hash=_digest(secret), expires_at=expires_at)
        return NewLink(link, secret)

    async def offer_reset(self, user_id: str, *, lifetime: timedelta = RESET_LIFETIME, by: Principal | None = None) -> NewLink:
        """Let a user choose a new password; the old one is good until they do. Raises `NotFound` or `ProtectedUser`."""
        secret, expires_at = _new_secret(), self._clock() + lifetime
        async with self._administering(by) as work:
            link = await work.account_links.offer_reset(user_id, secret_hash=_digest(secret), expires_at=expires_at)
        return NewLink(link, secret)

    async def redeem(self, secret: str, password: str, *, display_name: str | None = None, address: str | None = None) -> User:
        """Make the account, or give it the password, that a link is for; the link is good no more.

        A new password ends all tokens and API keys. Raises `NotFound` for a link that is not good, and `InvalidInput` for a
        password or a name that is not, after which the link still is.
        """
        wanted = _digest(secret)
        # Nothing is hashed in vain; who gets the link is decided below.
        await self._reading(lambda work: work.account_links.find(wanted))
        hashed = await self._hash(password)
        async with self._administering(_by_link(address)) as work:
            link = await work.account_links.redeem(wanted)
            if link.user_id is None:
                return await work.users.create(link.email or "", hashed, display_name=display_name, is_admin=link.is_admin)
            user = await work.users.set_password(link.user_id, hashed)
            await work.login_attempts.lift([account_subject(user.email or "", self._rules)])
            return user


def _new_secret() -> str:
    return _MARK + secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _by_link(address: str | None) -> Principal:
    """Whoever has a link, of whom no more is known."""
    return Principal(SYSTEM_USER_ID, method=Method.LINK, address=address)
