"""What comes with the studio: workflows and style presets of the system user, which everybody has."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import users
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["DefaultsSynced", "WithDefaults"]


@dataclass(frozen=True, slots=True)
class DefaultsSynced:
    """How many of what comes with the studio were inserted, overwritten and deleted."""

    inserted: int
    changed: int
    deleted: int


class WithDefaults(PrivilegedWrites):
    """A repository some of whose rows come with the studio."""

    __slots__ = ()

    async def _sync(
        self,
        ids: sa.Column[str],
        default: ColumnElement[bool],
        contents: Sequence[sa.Column[str]],
        wanted: Mapping[str, tuple[str, ...]],
        put: Callable[[str], Coroutine[Any, Any, None]],
    ) -> DefaultsSynced:
        """Bring the default rows in step with the contents that are wanted by id.

        It goes in the order of ids, so that servers that start at once never wait for each other in a circle.
        """
        rows = await self._all(sa.select(ids, *contents).where(default))
        stored: dict[str, tuple[str, ...]] = {row[0]: tuple(row[1:]) for row in rows}
        await self._ensure_system_user()
        different = sorted(key for key in wanted if stored.get(key) != wanted[key])
        for key in different:
            await put(key)
        vanished = sorted(stored.keys() - wanted.keys())
        for key in vanished:
            await self._do(sa.delete(ids.table).where(ids == key, default))
        changed = sum(key in stored for key in different)
        return DefaultsSynced(len(different) - changed, changed, len(vanished))

    async def _ensure_system_user(self) -> None:
        """Make the owner where there is none yet; it cannot log in (contract, section 4.10)."""
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
