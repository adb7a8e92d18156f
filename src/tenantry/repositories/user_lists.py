"""Users as they and administrators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import users
from tenantry.errors import NotFound
from tenantry.repositories.base import among
from tenantry.repositories.emails import spellings
from tenantry.repositories.matching import contains, folded
from tenantry.repositories.pages import Page, Slice, check_window, decode_cursor, encode_cursor
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.tenancy import Principal
from tenantry.tenancy.visibility import owned

__all__ = ["ACTIVE_ADMIN", "COLUMNS", "User", "UserKind", "UserLists", "by_email", "closest", "named", "user_from"]


class UserKind(StrEnum):
    """Somebody who can log in; the owner of what a single-user studio left; the hidden owner of rows whose user is gone."""

    PERSON = "person"
    SYSTEM = "system"
    TOMBSTONE = "tombstone"


@dataclass(frozen=True, slots=True)
class User:
    """A user without the password's hash.

    Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`, but `last_login_at`, which is ISO 8601 with microseconds and offset as
    InvokeAI writes it (contract, section 2). `email` is None for a tombstone alone.
    """

    user_id: str
    email: str | None
    display_name: str | None
    kind: UserKind
    is_admin: bool
    is_active: bool
    token_epoch: int
    last_login_at: str | None
    created_at: str
    updated_at: str

    @property
    def principal(self) -> Principal:
        """The user as one who acts, with the rights that were read."""
        return Principal(self.user_id, is_admin=self.is_admin)


COLUMNS: tuple[ColumnElement[Any], ...] = tuple(users.c[name] for name in User.__slots__)
"""What a tenant may read on PostgreSQL; the hash is not among it."""


class UserLists(PrivilegedWrites):
    """The users that a principal may see: a tenant itself, administrators everybody."""

    __slots__ = ()

    async def get(self, user_id: str) -> User:
        """One user of any kind. Raises `NotFound`."""
        row = await self._one(_get(self._everything), user_id=user_id)
        if row is None:
            raise NotFound("user")
        return user_from(row)

    async def get_by_email(self, email: str) -> User:
        """The user with this address, in this spelling or in lower case. Raises `NotFound`."""
        wanted = spellings(email)
        found = closest(wanted, await self._all(_get_by_email(self._everything), **named(wanted)))
        if found is None:
            raise NotFound("user", field="email")
        return user_from(found)

    async def get_many(self, user_ids: Sequence[str]) -> dict[str, User]:
        """The users among these ids that are there, by id."""
        wanted = among(self._connection.dialect, users.c.user_id, user_ids)
        rows = await self._all(sa.select(*COLUMNS).where(wanted, owned(users, everything=self._everything)))
        return {row.user_id: user_from(row) for row in rows}

    async def all(self, *, include_hidden: bool = False) -> list[User]:
        """Every user, newest first; the system user and tombstones when asked for."""
        query = sa.select(*COLUMNS).where(*self._wanted(None, include_hidden))
        return [user_from(row) for row in await self._all(query.order_by(*_NEWEST_FIRST))]

    async def page(
        self, *, offset: int = 0, limit: int = 20, search: str | None = None, include_hidden: bool = False
    ) -> Page[User]:
        """Users from `offset` on, newest first; `search` is a part of the address or the name."""
        check_window(limit, offset)
        wanted = self._wanted(search, include_hidden)
        total = await self._value(sa.select(sa.func.count()).select_from(users).where(*wanted))
        query = sa.select(*COLUMNS).where(*wanted).order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
        return Page([user_from(row) for row in await self._all(query)], total, offset, limit)

    async def slice(
        self, *, cursor: str | None = None, limit: int = 20, search: str | None = None, include_hidden: bool = False
    ) -> Slice[User]:
        """Users after a cursor. Raises `InvalidCursor`."""
        check_window(limit)
        filters = (search, include_hidden)
        query = sa.select(*COLUMNS).where(*self._wanted(search, include_hidden))
        if cursor is not None:
            created_at, user_id = decode_cursor(cursor, "users", filters, (str, str))
            place = sa.tuple_(users.c.created_at, users.c.user_id)
            query = query.where(place < sa.tuple_(sa.literal(created_at), sa.literal(user_id)))
        rows = await self._all(query.order_by(*_NEWEST_FIRST).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("users", filters, (last.created_at, last.user_id)) if last is not None else None
        return Slice([user_from(row) for row in rows[:limit]], following)

    async def has_admin(self) -> bool:
        """Whether an active administrator exists. Raises `NotAllowed` for a tenant."""
        return await self.count_admins() > 0

    async def count_admins(self) -> int:
        """How many active administrators there are. Raises `NotAllowed` for a tenant."""
        self._only_privileged("count administrators")
        return int(await self._value(_count_admins()))

    def _wanted(self, search: str | None, include_hidden: bool) -> list[ColumnElement[bool]]:
        wanted = [owned(users, everything=self._everything)]
        if not include_hidden:
            wanted.append(users.c.kind == UserKind.PERSON)
        if search:
            dialect, term = self._connection.dialect, folded(search, "search")
            wanted.append(sa.or_(contains(dialect, users.c.email, term), contains(dialect, users.c.display_name, term)))
        return wanted


ACTIVE_ADMIN = (users.c.kind == UserKind.PERSON, users.c.is_admin == sa.true(), users.c.is_active == sa.true())
"""Somebody who can log in and administer."""

_NEWEST_FIRST = (users.c.created_at.desc(), users.c.user_id.desc())


@cache
def _get(everything: bool) -> Select[Any]:
    return sa.select(*COLUMNS).where(users.c.user_id == sa.bindparam("user_id"), owned(users, everything=everything))


@cache
def _get_by_email(everything: bool) -> Select[Any]:
    return by_email(*COLUMNS, everything=everything)


@cache
def _count_admins() -> Select[Any]:
    return sa.select(sa.func.count()).select_from(users).where(*ACTIVE_ADMIN)


def by_email(*columns: ColumnElement[Any], everything: bool) -> Select[Any]:
    """The users with one of three spellings of an address; see `named` and `closest`."""
    spelled: list[ColumnElement[str]] = [sa.bindparam(f"spelling_{place}") for place in range(3)]
    return sa.select(*columns).where(users.c.email.in_(spelled), owned(users, everything=everything))


def named(wanted: Sequence[str]) -> dict[str, str]:
    """The parameters of `by_email`."""
    return {f"spelling_{place}": spelling for place, spelling in enumerate(wanted)}


def closest(wanted: Sequence[str], rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The row whose address is spelled most like the one that is wanted."""
    return min(rows, key=lambda row: wanted.index(row.email), default=None)


def user_from(row: Row[Any]) -> User:
    """The user in a row that begins with `COLUMNS`."""
    user_id, email, display_name, kind, *rest = row[: len(COLUMNS)]
    return User(user_id, email, display_name, UserKind(kind), *rest)
