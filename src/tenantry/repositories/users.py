"""Users, and the rules that concern all accounts: one first administrator, and never none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from tenantry.database.tables import account_links, api_keys, users
from tenantry.errors import Conflict, IntegrityViolation, InvalidInput, LastAdministrator, NotAllowed, NotFound, ProtectedUser
from tenantry.repositories.changes import AccountChanged, AccountCreated, AccountDeleted
from tenantry.repositories.checks import MAX_NAME, check_text
from tenantry.repositories.emails import check_email, spellings
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.outbox import forget_events
from tenantry.repositories.owners import owned_tables
from tenantry.repositories.user_lists import COLUMNS, User, UserKind, UserLists, by_email, closest, named, user_from
from tenantry.tenancy import InternalReason

__all__ = ["Credentials", "User", "UserKind", "UserRepository", "set_up_already"]

_ADMINISTRATORS_LOCK = 0x7E4A_4144_4D49
"""Advisory lock on PostgreSQL: whoever makes or unmakes an administrator counts the others alone."""

_ADMINISTERING = "administer accounts"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What a password is checked against; never shown."""

    user: User
    password_hash: str


class UserRepository(UserLists):
    """Users and their rights; a tenant reads and renames itself, all else is for administrators and Tenantry itself."""

    __slots__ = ()

    async def credentials(self, email: str) -> Credentials | None:
        """The user with this address and the hash of their password, for Tenantry itself alone."""
        if not self._ground.principal.is_internal:
            raise NotAllowed("Hashes of passwords are shown to nobody.")
        wanted = spellings(email)
        found = closest(wanted, await self._all(_credentials(), **named(wanted)))
        return None if found is None else Credentials(user_from(found), found.password_hash)

    async def create(
        self,
        email: str,
        password_hash: str,
        *,
        display_name: str | None = None,
        is_admin: bool = False,
        is_active: bool = True,
    ) -> User:
        """Add a user. Raises `InvalidInput`, and `Conflict` for an address that somebody has in any case of letters."""
        self._only_privileged(_ADMINISTERING)
        if is_admin:
            await self._lock_administrators()
        return await self._create(email, password_hash, display_name, is_admin=is_admin, is_active=is_active)

    async def create_first_admin(self, email: str, password_hash: str, *, display_name: str | None = None) -> User:
        """Add the administrator of a new studio; of many who try at once, one does, and the others get `Conflict`."""
        self._only_privileged(_ADMINISTERING)
        await self._lock_administrators()
        if await self.has_admin():
            raise set_up_already()
        return await self._create(email, password_hash, display_name, is_admin=True, is_active=True)

    async def update(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        email: str | None = None,
        is_admin: bool | None = None,
        is_active: bool | None = None,
    ) -> User:
        """Change what is given; a tenant may change its own name and nothing else. Who is deactivated loses their API keys.

        Raises `NotFound`, `NotAllowed`, `InvalidInput`, `Conflict` for an address that is taken, `ProtectedUser`, and
        `LastAdministrator`.
        """
        changes: dict[str, object] = {}
        if display_name is not None:
            changes["display_name"] = _check_display_name(display_name)
        if (email, is_admin, is_active) == (None, None, None):
            return await self._change(await self.get(user_id), changes)
        await self._administered(user_id)
        if email is not None:
            changes["email"] = await self._free_email(email, except_for=user_id)
        changes |= {name: value for name, value in (("is_admin", is_admin), ("is_active", is_active)) if value is not None}
        takes_rights = is_admin is False or is_active is False
        user = await (self._guarded(user_id) if takes_rights else self._lock(user_id))
        if email is not None or is_admin or is_active is False:
            _refuse_unless_person(user)
        if is_active is False:
            await self._end(api_keys, user_id)
            await self._end(account_links, user_id)
        self._note_rights(user, is_admin, is_active)
        return await self._change(user, changes)

    async def set_password(
        self, user_id: str, password_hash: str, *, replacing: str | None = None, keep_keys: bool = False
    ) -> User:
        """Store the hash of a new password and end all tokens, and all API keys unless they are kept.

        Raises `NotFound`, `ProtectedUser`, and `Conflict` when the hash that it replaces is not there any more.
        """
        await self._administered(user_id)
        _refuse_unless_person(await self.get(user_id))
        change = sa.update(users).where(users.c.user_id == user_id)
        if replacing is not None:
            change = change.where(users.c.password_hash == replacing)
        changes = {users.c.password_hash: _check_hash(password_hash), users.c.token_epoch: users.c.token_epoch + 1}
        row = await self._one(change.values({**changes, users.c.updated_at: self._now()}).returning(*COLUMNS))
        if row is None:
            raise Conflict("The password was changed by somebody else at this moment.", field="password", remedy="Try again.")
        await self._end(account_links, user_id)
        if not keep_keys:
            await self._end(api_keys, user_id)
        self._note(AuditAction.PASSWORD_CHANGED, user_id, keys_kept=keep_keys)
        return self._changed(user_from(row))

    async def end_tokens(self, user_id: str) -> User:
        """Make every token of a user worthless; API keys stay. Raises `NotFound`, or `NotAllowed` for a tenant."""
        await self._administered(user_id)
        changes = {"token_epoch": users.c.token_epoch + 1, "updated_at": self._now()}
        ended = await self._write(user_id, changes)
        self._note(AuditAction.LOGINS_ENDED, user_id)
        return self._changed(ended)

    async def touch_login(self, user_id: str) -> User:
        """Note that a user logged in now. Raises `NotFound`, or `NotAllowed` for a tenant."""
        await self._administered(user_id)
        moment = self._ground.clock().astimezone(UTC).isoformat(timespec="microseconds")
        user = await self._write(user_id, {"last_login_at": moment, "updated_at": self._now()})
        self._note(AuditAction.LOGIN, user_id)
        return user

    async def check_deletable(self, user_id: str) -> User:
        """Hold a user for deletion, so that nothing of theirs is added meanwhile.

        Raises `NotFound`, `NotAllowed`, `ProtectedUser` or `LastAdministrator`.
        """
        await self._administered(user_id)
        user = await self._guarded(user_id)
        if user.kind is UserKind.SYSTEM:
            raise ProtectedUser()
        return user

    async def delete(self, user_id: str) -> None:
        """Delete a user who owns nothing any more; `work.ownership` sees to that.

        Raises what `check_deletable` raises, and `Conflict` while there are rows of theirs.
        """
        await self.check_deletable(user_id)
        for table in owned_tables():
            if await self._one(sa.select(sa.true()).where(table.c.user_id == user_id).select_from(table).limit(1)) is not None:
                raise Conflict(
                    "This user still owns something.", field="user_id", remedy="Delete it, or give it to somebody, first."
                )
        # That they are gone is told after it, by this unit of work's own event.
        await forget_events(self._connection, user_id)
        await self._do(sa.delete(users).where(users.c.user_id == user_id))
        self._note(AuditAction.USER_DELETED, user_id)
        self._record(AccountDeleted(user_id))

    async def _create(
        self, email: str, password_hash: str, display_name: str | None, *, is_admin: bool, is_active: bool
    ) -> User:
        now = self._now()
        values = {
            "user_id": self._ground.ids(),
            "email": await self._free_email(email),
            "display_name": None if display_name is None else _check_display_name(display_name),
            "password_hash": _check_hash(password_hash),
            "kind": UserKind.PERSON.value,
            "is_admin": is_admin,
            "is_active": is_active,
            "created_at": now,
            "updated_at": now,
        }
        insert = self._insert_into(users).values(values).on_conflict_do_nothing(index_elements=["email"])
        row = await self._one(insert.returning(*COLUMNS))
        if row is None:
            raise _taken()
        user = user_from(row)
        self._note(AuditAction.USER_CREATED, user.user_id, is_admin=is_admin)
        self._record(AccountCreated(user.user_id))
        return user

    async def _free_email(self, email: str, *, except_for: str | None = None) -> str:
        """The address as it is stored. Raises `InvalidInput`, or `Conflict` if somebody else has it."""
        address = check_email(email)
        holders = await self._all(sa.select(users.c.user_id).where(sa.func.lower(users.c.email) == address))
        if any(holder.user_id != except_for for holder in holders):
            raise _taken()
        return address

    async def _administered(self, user_id: str) -> None:
        """Raise `NotFound` for a user that one may not see, and `NotAllowed` for a tenant."""
        if not self._everything:
            await self.get(user_id)
            self._only_privileged(_ADMINISTERING)

    async def _lock_administrators(self) -> None:
        """Wait until nobody else makes or unmakes an administrator; on SQLite nobody else writes at all."""
        if self._connection.dialect == "postgresql":
            await self._one(sa.select(sa.func.pg_advisory_xact_lock(_ADMINISTRATORS_LOCK)))

    async def _lock(self, user_id: str) -> User:
        await self._lock_administrators()
        row = await self._one(sa.select(*COLUMNS).where(users.c.user_id == user_id).with_for_update())
        if row is None:
            raise NotFound("user")
        return user_from(row)

    async def _guarded(self, user_id: str) -> User:
        """The user, about to lose rights or life. Raises `LastAdministrator`."""
        user = await self._lock(user_id)
        if user.kind is UserKind.PERSON and user.is_admin and user.is_active and await self.count_admins() == 1:
            raise LastAdministrator
        return user

    async def _end(self, table: sa.Table, user_id: str) -> None:
        """Delete a user's rows that would let somebody in."""
        await self._do(sa.delete(table).where(table.c.user_id == user_id))

    async def _change(self, user: User, changes: Mapping[str, object]) -> User:
        if not changes:
            return user
        async with self._ground.elevated(InternalReason.ADMINISTER_ACCOUNTS):
            changed = await self._write(user.user_id, {**changes, "updated_at": self._now()})
        named = sorted(changes.keys() & {"display_name", "email"})
        if named:
            self._note(AuditAction.USER_CHANGED, user.user_id, changed=named)
        return self._changed(changed)

    def _note_rights(self, user: User, is_admin: bool | None, is_active: bool | None) -> None:
        if is_admin is not None and is_admin != user.is_admin:
            self._note(AuditAction.ADMIN_GRANTED if is_admin else AuditAction.ADMIN_REVOKED, user.user_id)
        if is_active is not None and is_active != user.is_active:
            self._note(AuditAction.USER_ACTIVATED if is_active else AuditAction.USER_SUSPENDED, user.user_id)

    def _changed(self, user: User) -> User:
        self._record(AccountChanged(user.user_id, user.is_admin, user.is_active, user.token_epoch))
        return user

    async def _write(self, user_id: str, changes: Mapping[str, object]) -> User:
        change = sa.update(users).where(users.c.user_id == user_id).values(dict(changes)).returning(*COLUMNS)
        try:
            row = await self._connection.fetch_one(change)
        except IntegrityViolation:
            # Nothing but the address is unique, and another took it since it was looked for.
            raise _taken() from None
        if row is None:
            raise NotFound("user")
        return user_from(row)


@cache
def _credentials() -> Select[Any]:
    return by_email(*COLUMNS, users.c.password_hash, everything=True).where(users.c.kind == UserKind.PERSON)


def _check_display_name(name: str) -> str:
    """Any name that is not too long; an empty one is none."""
    return check_text(name, "display_name", most=MAX_NAME)


def _check_hash(password_hash: str) -> str:
    """Refuse what no password could ever be checked against, above all a password itself."""
    if not check_text(password_hash, "password", most=200).startswith("$2"):
        raise InvalidInput("This is not the hash of a password.", field="password")
    return password_hash


def _refuse_unless_person(user: User) -> None:
    if user.kind is UserKind.SYSTEM:
        raise ProtectedUser()
    if user.kind is UserKind.TOMBSTONE:
        raise ProtectedUser("This user is gone; what they left can be given to somebody.")


def set_up_already() -> Conflict:
    """The error for whoever comes second to set a studio up."""
    return Conflict("This studio has an administrator already.", remedy="Log in, or ask an administrator.")


def _taken() -> Conflict:
    return Conflict("This address belongs to a user already.", field="email", remedy="Use another address.")
