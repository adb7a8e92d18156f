"""Links that are good once: to make an account for oneself, or to choose a new password. Only their hashes are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database import timestamp
from tenantry.database.tables import account_links, users
from tenantry.errors import Conflict, NotAllowed, NotFound, ProtectedUser
from tenantry.repositories.emails import check_email
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.repositories.user_lists import UserKind

__all__ = ["AccountLink", "AccountLinks"]

_DOING = "let others in"


@dataclass(frozen=True, slots=True)
class AccountLink:
    """What is known of a link besides its secret: whose password it gives anew, or whom it invites.

    Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`.
    """

    link_id: str
    user_id: str | None
    email: str | None
    is_admin: bool
    expires_at: str
    created_at: str


class AccountLinks(PrivilegedWrites):
    """Links that are still good; for administrators and Tenantry itself, tenants get `NotAllowed`."""

    __slots__ = ()

    async def all(self) -> list[AccountLink]:
        """Links that nobody has used, newest first."""
        self._only_privileged(_DOING)
        good = account_links.c.expires_at > self._now()
        rows = await self._all(sa.select(*_COLUMNS).where(good).order_by(account_links.c.created_at.desc()))
        return [AccountLink(*tuple(row)) for row in rows]

    async def invite(self, email: str, *, is_admin: bool, secret_hash: str, expires_at: datetime) -> AccountLink:
        """Invite somebody; an older invitation to the address ends. Raises `InvalidInput`, and `Conflict` for a user's."""
        self._only_privileged(_DOING)
        address = check_email(email)
        if await self._one(sa.select(users.c.user_id).where(sa.func.lower(users.c.email) == address)) is not None:
            raise Conflict("This address belongs to a user already.", field="email", remedy="Use another address.")
        await self._do(sa.delete(account_links).where(account_links.c.email == address))
        link = await self._create(secret_hash, expires_at, email=address, is_admin=is_admin)
        self._note(AuditAction.INVITED, None, link=link.link_id, is_admin=is_admin)
        return link

    async def offer_reset(self, user_id: str, *, secret_hash: str, expires_at: datetime) -> AccountLink:
        """Let a user choose a new password; an older link to that ends. Raises `NotFound` or `ProtectedUser`."""
        self._only_privileged(_DOING)
        query = sa.select(users.c.kind, users.c.is_active).where(users.c.user_id == user_id)
        row = await self._one(query.with_for_update())
        if row is None:
            raise NotFound("user")
        if row.kind != UserKind.PERSON or not row.is_active:
            raise ProtectedUser("This user cannot log in, and has no password to choose.")
        await self._do(sa.delete(account_links).where(account_links.c.user_id == user_id))
        link = await self._create(secret_hash, expires_at, user_id=user_id)
        self._note(AuditAction.RESET_OFFERED, user_id, link=link.link_id)
        return link

    async def delete(self, link_id: str) -> None:
        """End a link. Raises `NotFound`."""
        self._only_privileged(_DOING)
        gone = sa.delete(account_links).where(account_links.c.link_id == link_id).returning(account_links.c.user_id)
        row = await self._one(gone)
        if row is None:
            raise _not_there("link_id")
        self._note(AuditAction.LINK_DELETED, row.user_id, link=link_id)

    async def find(self, secret_hash: str) -> AccountLink:
        """The link with this hash, for Tenantry itself alone. Raises `NotFound` unless it is good."""
        self._only_internal()
        row = await self._one(sa.select(*_COLUMNS).where(*self._good(secret_hash)))
        if row is None:
            raise _not_there("secret")
        return AccountLink(*tuple(row))

    async def redeem(self, secret_hash: str) -> AccountLink:
        """Like `find`, and the link is gone: of many who try at once one gets it."""
        self._only_internal()
        row = await self._one(sa.delete(account_links).where(*self._good(secret_hash)).returning(*_COLUMNS))
        if row is None:
            raise _not_there("secret")
        return AccountLink(*tuple(row))

    async def prune(self, before: datetime, most: int) -> int:
        """Delete up to `most` links that were good until before a moment; answers how many."""
        self._only_privileged(_DOING)
        old = sa.select(account_links.c.link_id).where(account_links.c.expires_at < timestamp(before)).limit(most)
        return await self._do(sa.delete(account_links).where(account_links.c.link_id.in_(old)))

    def _good(self, secret_hash: str) -> tuple[ColumnElement[bool], ...]:
        return account_links.c.secret_hash == secret_hash, account_links.c.expires_at > self._now()

    def _only_internal(self) -> None:
        if not self._ground.principal.is_internal:
            raise NotAllowed("Only who has the link may use it.")

    async def _create(self, secret_hash: str, expires_at: datetime, **values: object) -> AccountLink:
        made = {
            "link_id": self._ground.ids(),
            "secret_hash": secret_hash,
            "expires_at": timestamp(expires_at),
            "created_at": self._now(),
            **values,
        }
        row = await self._one(sa.insert(account_links).values(made).returning(*_COLUMNS))
        assert row is not None
        return AccountLink(*tuple(row))


_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(account_links.c[name] for name in AccountLink.__slots__)


def _not_there(field: str) -> NotFound:
    """The same for a link that was used, that is too old, and that never was."""
    return NotFound("link", field=field)
