"""What only administrators and Tenantry itself may do; on SQLite no policy of the database says so."""

from tenantry.database.tables import users
from tenantry.errors import NotAllowed
from tenantry.repositories.base import Repository
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["PrivilegedWrites"]


class PrivilegedWrites(Repository):
    """A repository with operations that no tenant may call."""

    __slots__ = ()

    def _only_privileged(self, doing: str) -> None:
        """Raise `NotAllowed` for a tenant."""
        if not self._everything:
            raise NotAllowed(f"Only administrators may {doing}.")

    async def _ensure_system_user(self) -> None:
        """Make the owner of what comes with the studio, where there is none yet; it cannot log in (contract, section 4.10)."""
        now = self._now()
        await self._insert(
            self._insert_into(users).on_conflict_do_nothing(),
            user_id=SYSTEM_USER_ID,
            email="system@system.invokeai",
            display_name="System",
            kind="system",
            created_at=now,
            updated_at=now,
        )
