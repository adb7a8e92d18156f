"""What only administrators and Tenantry itself may do; on SQLite no policy of the database says so."""

from tenantry.errors import NotAllowed
from tenantry.repositories.base import Repository

__all__ = ["PrivilegedWrites"]


class PrivilegedWrites(Repository):
    """A repository with operations that no tenant may call."""

    __slots__ = ()

    def _only_privileged(self, doing: str) -> None:
        """Raise `NotAllowed` for a tenant."""
        if not self._everything:
            raise NotAllowed(f"Only administrators may {doing}.")
