"""Who sees a board besides its owner."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database.tables import board_shares, boards
from tenantry.repositories.base import among
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.tenancy.visibility import BoardVisibility

__all__ = ["BoardViewers", "SeenBy"]


@dataclass(frozen=True, slots=True)
class SeenBy:
    """A board's owner, whether everybody sees it, and with whom it is shared."""

    owner_id: str
    everybody: bool
    shared_with: frozenset[str]


class BoardViewers(PrivilegedWrites):
    """Reads across users, for the delivery of events."""

    __slots__ = ()

    async def of(self, board_ids: Collection[str]) -> dict[str, SeenBy]:
        """Who sees each of these boards that is still there."""
        self._only_privileged("learn who sees a board")
        dialect, wanted = self._connection.dialect, list(board_ids)
        found = sa.select(boards.c.board_id, boards.c.user_id, boards.c.visibility)
        rows = await self._connection.fetch_all(found.where(among(dialect, boards.c.board_id, wanted)))
        shares = sa.select(board_shares.c.board_id, board_shares.c.user_id)
        granted: dict[str, set[str]] = {row.board_id: set() for row in rows}
        for share in await self._connection.fetch_all(shares.where(among(dialect, board_shares.c.board_id, wanted))):
            granted.setdefault(share.board_id, set()).add(share.user_id)
        return {
            row.board_id: SeenBy(row.user_id, row.visibility != BoardVisibility.PRIVATE, frozenset(granted[row.board_id]))
            for row in rows
        }
