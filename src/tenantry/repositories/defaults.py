"""What comes with the studio: workflows and style presets of the system user, which everybody has."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.repositories.privileged import PrivilegedWrites

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
        different = sorted(key for key in wanted if stored.get(key) != wanted[key])
        for key in different:
            await put(key)
        vanished = sorted(stored.keys() - wanted.keys())
        for key in vanished:
            await self._do(sa.delete(ids.table).where(ids == key, default))
        changed = sum(key in stored for key in different)
        return DefaultsSynced(len(different) - changed, changed, len(vanished))
