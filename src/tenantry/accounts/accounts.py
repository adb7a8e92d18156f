"""The accounts of a studio, from the first administrator's beginning to any user's end."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from tenantry.accounts.api_keys import NewApiKey, digest, new_secret, shown_part
from tenantry.accounts.linking import Linking
from tenantry.accounts.passwords import check_password, hash_password
from tenantry.accounts.throttling import account_subject, address_subject
from tenantry.errors import InvalidInput
from tenantry.repositories.checks import check_choice
from tenantry.repositories.emails import check_email
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.ownership import RowsMoved, RowsRemoved
from tenantry.repositories.users import User, set_up_already
from tenantry.tenancy import InternalReason, Principal

__all__ = ["Accounts", "DataFate"]


class DataFate(StrEnum):
    """What becomes of what a deleted user owned."""

    DELETE = "delete"
    TRANSFER = "transfer"
    KEEP = "keep"


class Accounts(Linking):
    """Everything about accounts that is more than a row.

    It acts for Tenantry itself: who calls it has checked that the caller may, and says `by` whom it is asked, for the audit
    trail. Passwords are hashed and checked in a thread, before a transaction begins.
    """

    async def register(
        self,
        email: str,
        password: str,
        display_name: str | None = None,
        is_admin: bool = False,
        *,
        by: Principal | None = None,
    ) -> User:
        """Add a user, who acts as `user.principal`. Raises `InvalidInput` by field, and `Conflict` for a taken address."""
        hashed = await self._hash_for(email, password)
        async with self._administering(by) as work:
            return await work.users.create(email, hashed, display_name=display_name, is_admin=is_admin)

    async def register_first_administrator(
        self, email: str, password: str, display_name: str | None = None, *, address: str | None = None
    ) -> User:
        """Add the administrator of a new studio. Raises like `register`, and `Conflict` once there is an administrator.

        Of many who try at once, on any number of servers, one succeeds.
        """
        # Anybody may ask for it, so nothing is hashed in vain; who is the first is decided below.
        if await self.has_administrator():
            raise set_up_already()
        hashed = await self._hash_for(email, password)
        async with self._administering(None, address) as work:
            return await work.users.create_first_admin(email, hashed, display_name=display_name)

    async def has_administrator(self) -> bool:
        """Whether an active administrator exists."""
        return await self._reading(lambda work: work.users.has_admin())

    async def user(self, user_id: str) -> User:
        """One user. Raises `NotFound`."""
        return await self._reading(lambda work: work.users.get(user_id))

    async def change_password(
        self,
        user_id: str,
        current: str,
        new: str,
        *,
        keep_keys: bool = False,
        display_name: str | None = None,
        by: Principal | None = None,
    ) -> User:
        """Change a password for its owner, ending all their tokens, and their API keys unless they want to keep them.

        A name to show is changed with it where one is given. Raises `InvalidInput` for a wrong or a weak password, the first
        of which counts like a failed login, `LimitReached` after too many of them, `NotFound`, `ProtectedUser`, and
        `Conflict` when somebody else changed it at the same moment.
        """
        check_password(new, strict=self._rules.strict_passwords)
        user = await self.user(user_id)
        known = await self._prove(user.email or "", current, by, AuditAction.PASSWORD_CHANGE_FAILED)
        if known is None or known.user.user_id != user_id:
            raise InvalidInput("The current password is wrong.", field="current_password")
        hashed = await hash_password(new, self._rules.bcrypt_cost)
        async with self._administering(by) as work:
            await work.users.update(user_id, display_name=display_name)
            return await work.users.set_password(user_id, hashed, replacing=known.password_hash, keep_keys=keep_keys)

    async def modify(
        self,
        user_id: str,
        *,
        email: str | None = None,
        display_name: str | None = None,
        is_admin: bool | None = None,
        is_active: bool | None = None,
        password: str | None = None,
        by: Principal | None = None,
    ) -> User:
        """Change what is given of a user, all of it or nothing.

        Deactivating them ends all their tokens and API keys, and so does a new password, which they need not wait to try.
        Raises `InvalidInput`, `NotFound`, `Conflict` for an address that is taken, `ProtectedUser` or `LastAdministrator`.
        """
        hashed = None if password is None else await self._hash(password)
        async with self._administering(by) as work:
            user = await work.users.update(
                user_id, email=email, display_name=display_name, is_admin=is_admin, is_active=is_active
            )
            if is_active is False:
                user = await work.users.end_tokens(user_id)
            if hashed is not None:
                user = await work.users.set_password(user_id, hashed)
                await work.login_attempts.lift([account_subject(user.email or "", self._rules)])
            return user

    async def reset_password(self, user_id: str, new: str, *, by: Principal | None = None) -> User:
        """Give a user a password that an administrator chose. Raises `InvalidInput`, `NotFound` or `ProtectedUser`."""
        return await self.modify(user_id, password=new, by=by)

    async def suspend(self, user_id: str, *, by: Principal | None = None) -> User:
        """Keep a user out, at once and with every token; their API keys end for good.

        Raises `NotFound`, `ProtectedUser` or `LastAdministrator`.
        """
        return await self.modify(user_id, is_active=False, by=by)

    async def activate(self, user_id: str, *, by: Principal | None = None) -> User:
        """Let a suspended user log in again. Raises `NotFound`."""
        return await self.modify(user_id, is_active=True, by=by)

    async def set_admin(self, user_id: str, is_admin: bool, *, by: Principal | None = None) -> User:
        """Make an administrator of a user, or no longer. Raises `NotFound`, `ProtectedUser` or `LastAdministrator`."""
        return await self.modify(user_id, is_admin=is_admin, by=by)

    async def lift_wait(self, *, email: str | None = None, address: str | None = None, by: Principal | None = None) -> bool:
        """Let an account, or who comes from a network address, log in without waiting; whether there was any failure."""
        subjects = [] if email is None else [account_subject(email, self._rules)]
        subjects += [] if address is None else [address_subject(address, self._rules)]
        async with self._administering(by) as work:
            known = None if email is None else await work.users.credentials(email)
            subject_id = known.user.user_id if known else None
            await work.audit.note(AuditAction.WAIT_LIFTED, subject_id, account=email is not None, address=address is not None)
            return await work.login_attempts.lift(subjects) > 0

    async def delete(
        self, user_id: str, data: str, to: str | None = None, *, by: Principal | None = None
    ) -> RowsMoved | RowsRemoved:
        """Delete a user, and what is theirs as `data` says: `delete` it, `transfer` it to another user, or `keep` it.

        What is kept belongs to the system user then. Where it is deleted, the answer names the files to delete too.
        Raises `InvalidInput`, `NotFound`, `ProtectedUser` or `LastAdministrator`.
        """
        fate = check_choice(data, DataFate, "data")
        if (to is None) == (fate is DataFate.TRANSFER):
            raise InvalidInput(
                "A receiver goes with a transfer, and only with it.", field="to", remedy="Say who gets the data."
            )
        async with self._ground.begin(Principal.internal(InternalReason.CHANGE_OWNER, asked_by=by)) as work:
            await work.users.check_deletable(user_id)
            if to is not None:
                outcome: RowsMoved | RowsRemoved = await work.ownership.transfer(user_id, to)
            elif fate is DataFate.KEEP:
                outcome = await work.ownership.keep(user_id)
            else:
                outcome = await work.ownership.delete_data(user_id)
            await work.users.delete(user_id)
        return outcome

    async def create_key(
        self,
        user_id: str,
        name: str,
        scopes: Collection[str],
        lifetime: timedelta | None = None,
        *,
        by: Principal | None = None,
    ) -> NewApiKey:
        """Make an API key for a user, good for its lifetime or until it is deleted; its secret is never told again.

        Raises `InvalidInput`, `NotFound`, `ProtectedUser` for one who cannot log in, and `Conflict` when they have too many.
        """
        secret = new_secret()
        made = {"prefix": shown_part(secret), "key_hash": digest(secret)}
        expires_at = None if lifetime is None else self._clock() + lifetime
        async with self._administering(by) as work:
            return NewApiKey(await work.api_keys.create(user_id, name, **made, scopes=scopes, expires_at=expires_at), secret)

    async def legacy_assign(self, email: str, *, by: Principal | None = None) -> RowsMoved:
        """Give a user what a single-user studio left under the system user. Raises `NotFound`."""
        async with self._ground.begin(Principal.internal(InternalReason.CHANGE_OWNER, asked_by=by)) as work:
            return await work.ownership.legacy_assign(email)

    async def _hash_for(self, email: str, password: str) -> str:
        """Refuse what is cheap to refuse first."""
        check_email(email)
        return await self._hash(password)
