"""API keys: what a user's programs prove themselves with. Only their hashes are kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from tenantry.database import timestamp
from tenantry.database.tables import api_keys, users
from tenantry.errors import Conflict, InvalidInput, NotAllowed, NotFound, ProtectedUser
from tenantry.repositories.changes import AccountChanged
from tenantry.repositories.checks import check_choice, check_name
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.pages import Slice, check_window, decode_cursor, encode_cursor
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.repositories.user_lists import COLUMNS, User, UserKind, user_from
from tenantry.tenancy import InternalReason, Scope
from tenantry.tenancy.visibility import owned

__all__ = ["MAX_KEYS", "ApiKey", "ApiKeys", "StoredKey"]

MAX_KEYS = 50
"""Keys of one user at most."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key besides the key itself. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    key_id: str
    user_id: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    expires_at: str | None
    last_used_at: str | None
    created_at: str


@dataclass(frozen=True, slots=True, repr=False)
class StoredKey:
    """A key, the hash that it is compared with, and whose it is; never shown."""

    key: ApiKey
    key_hash: str
    user: User


class ApiKeys(PrivilegedWrites):
    """The keys that a principal may see: a tenant their own, administrators everybody's."""

    __slots__ = ()

    async def slice(self, *, user_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Slice[ApiKey]:
        """Keys after a cursor, newest first, of one user or of all. Raises `InvalidCursor`."""
        check_window(limit)
        query = sa.select(*_COLUMNS).where(owned(api_keys, everything=self._everything))
        if user_id is not None:
            query = query.where(api_keys.c.user_id == user_id)
        if cursor is not None:
            created_at, key_id = decode_cursor(cursor, "api_keys", user_id, (str, str))
            place = sa.tuple_(api_keys.c.created_at, api_keys.c.key_id)
            query = query.where(place < sa.tuple_(sa.literal(created_at), sa.literal(key_id)))
        rows = await self._all(query.order_by(api_keys.c.created_at.desc(), api_keys.c.key_id.desc()).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("api_keys", user_id, (last.created_at, last.key_id)) if last is not None else None
        return Slice([_key_from(row) for row in rows[:limit]], following)

    async def create(
        self,
        user_id: str,
        name: str,
        *,
        prefix: str,
        key_hash: str,
        scopes: Collection[str],
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Keep a key for a user; a tenant for themselves only.

        Raises `NotFound`, `InvalidInput`, `ProtectedUser` for one who cannot log in, and `Conflict` when they have too many.
        """
        self._only_of_mine(user_id)
        wanted = _check_scopes(scopes)
        values = {
            "key_id": self._ground.ids(),
            "user_id": user_id,
            "name": check_name(name, "name"),
            "prefix": prefix,
            "key_hash": key_hash,
            "scopes": " ".join(sorted(wanted)),
            "expires_at": self._check_end(expires_at),
            "created_at": self._now(),
        }
        async with self._ground.elevated(InternalReason.KEEP_KEYS):
            await self._check_owner(user_id, wanted)
            row = await self._connection.fetch_one(sa.insert(api_keys).values(values).returning(*_COLUMNS))
        assert row is not None
        key = _key_from(row)
        self._note(AuditAction.KEY_CREATED, user_id, key=key.key_id, scopes=sorted(key.scopes))
        return key

    async def delete(self, key_id: str, *, user_id: str | None = None) -> ApiKey:
        """End a key, of this user where one is given; answers what was known of it. Raises `NotFound`."""
        query = sa.select(*_COLUMNS).where(api_keys.c.key_id == key_id, owned(api_keys, everything=self._everything))
        if user_id is not None:
            query = query.where(api_keys.c.user_id == user_id)
        row = await self._one(query)
        if row is None:
            raise NotFound("API key", field="key_id")
        key = _key_from(row)
        async with self._ground.elevated(InternalReason.KEEP_KEYS):
            await self._connection.execute(sa.delete(api_keys).where(api_keys.c.key_id == key_id))
            owner = await self._user(key.user_id)
        self._note(AuditAction.KEY_DELETED, key.user_id, key=key.key_id)
        # Who is connected by the key is looked at when the account changes.
        self._record(AccountChanged(owner.user_id, owner.is_admin, owner.is_active, owner.token_epoch))
        return key

    async def find(self, key_hash: str) -> StoredKey | None:
        """The key with this hash, and whose it is, for Tenantry itself alone."""
        self._only_internal()
        row = await self._one(_find(), key_hash=key_hash)
        if row is None:
            return None
        *_, stored = row
        return StoredKey(_key_from(row[len(COLUMNS) : -1]), stored, user_from(row))

    async def touch(self, key_id: str, before: datetime) -> bool:
        """Note that a key is used now, unless that was noted since a moment; whether it was done."""
        self._only_internal()
        last = api_keys.c.last_used_at
        stale = sa.or_(last.is_(None), last < timestamp(before))
        change = sa.update(api_keys).where(api_keys.c.key_id == key_id, stale).values(last_used_at=self._now())
        return await self._do(change) > 0

    def _only_of_mine(self, user_id: str) -> None:
        if not self._everything and user_id != self._me:
            raise NotFound("user")

    def _only_internal(self) -> None:
        if not self._ground.principal.is_internal:
            raise NotAllowed("Hashes of keys are shown to nobody.")

    def _check_end(self, expires_at: datetime | None) -> str | None:
        if expires_at is not None and expires_at <= self._ground.clock():
            raise InvalidInput("A key must end in the future.", field="expires_at")
        return None if expires_at is None else timestamp(expires_at)

    async def _check_owner(self, user_id: str, scopes: Collection[Scope]) -> None:
        """Hold the user, so that they are neither suspended nor given one key too many meanwhile."""
        owner = await self._user(user_id, held=True)
        if owner.kind is not UserKind.PERSON or not owner.is_active:
            raise ProtectedUser("This user cannot log in, and has no API keys.")
        if Scope.ADMIN in scopes and not owner.is_admin:
            raise InvalidInput("Only an administrator's key can have the scope admin.", field="scopes", remedy="Leave it out.")
        count = await self._connection.fetch_value(
            sa.select(sa.func.count()).select_from(api_keys).where(api_keys.c.user_id == user_id)
        )
        if count >= MAX_KEYS:
            raise Conflict(
                f"There are {MAX_KEYS} keys already.", field="name", remedy="Delete one that is not needed any more."
            )

    async def _user(self, user_id: str, *, held: bool = False) -> User:
        query = sa.select(*COLUMNS).where(users.c.user_id == user_id)
        row = await self._connection.fetch_one(query.with_for_update() if held else query)
        if row is None:
            raise NotFound("user")
        return user_from(row)


_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(api_keys.c[name] for name in ApiKey.__slots__)
"""What a tenant may read on PostgreSQL; the hash is not among it."""


@cache
def _find() -> Select[Any]:
    joined = api_keys.join(users, users.c.user_id == api_keys.c.user_id)
    query = sa.select(*COLUMNS, *_COLUMNS, api_keys.c.key_hash).select_from(joined)
    return query.where(api_keys.c.key_hash == sa.bindparam("key_hash"))


def _check_scopes(scopes: Collection[str]) -> frozenset[Scope]:
    if not scopes:
        raise InvalidInput("A key needs a scope.", field="scopes", remedy=f"Use some of: {', '.join(Scope)}.")
    return frozenset(check_choice(scope, Scope, "scopes") for scope in scopes)


def _key_from(row: Sequence[Any]) -> ApiKey:
    key_id, user_id, name, prefix, scopes, *rest = row
    return ApiKey(key_id, user_id, name, prefix, frozenset(map(Scope, scopes.split())), *rest)
