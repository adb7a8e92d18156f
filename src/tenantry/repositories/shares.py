"""To whom boards are shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tenantry.database.tables import board_shares, boards, users
from tenantry.errors import InvalidInput, NotAllowed, NotFound
from tenantry.repositories.base import Repository, among
from tenantry.repositories.changes import BoardShared, BoardUnshared
from tenantry.repositories.checks import check_choice
from tenantry.tenancy import InternalReason, Permission
from tenantry.tenancy.visibility import board_manageable, board_readable

__all__ = ["Share", "Shares"]


@dataclass(frozen=True, slots=True)
class Share:
    """One user's permission on another's board."""

    board_id: str
    user_id: str
    permission: Permission
    shared_at: str


class Shares(Repository):
    """Shares of the boards that a principal manages, and of one's own part in others'."""

    __slots__ = ()

    async def of_board(self, board_id: str) -> list[Share]:
        """All shares of a board for those who manage it; others who see the board see their own share only."""
        manages, _ = await self._standing(board_id)
        query = sa.select(board_shares).where(board_shares.c.board_id == board_id).order_by(board_shares.c.user_id)
        if not manages:
            query = query.where(board_shares.c.user_id == self._me)
        async with self._ground.elevated(InternalReason.MANAGE_SHARES):
            return await self._shares(query)

    async def grant(self, board_id: str, user_ids: Sequence[str], permission: str) -> list[Share]:
        """Share a board with users, or change what they may.

        Raises `NotFound`, `NotAllowed`, or `InvalidInput` when one of the users cannot be shared with; nothing is shared then.
        """
        level = check_choice(permission, Permission, "permission")
        owner = await self._owner_for_manager(board_id)
        wanted = list(dict.fromkeys(user_ids))
        async with self._ground.elevated(InternalReason.MANAGE_SHARES):
            people = sa.select(users.c.user_id).where(users.c.user_id.in_(wanted), users.c.kind == "person")
            # Held, so that none of them is deleted before the board is shared with them.
            found = await self._connection.fetch_all(people.with_for_update(read=True, key_share=True))
            known = {row.user_id for row in found} - {owner}
            if len(known) != len(wanted):
                raise InvalidInput("One of these users does not exist or owns the board.", field="user_ids")
            changed = await self._share(board_id, owner, wanted, level)
            # Read again, since a share that was there keeps its time.
            query = sa.select(board_shares).where(board_shares.c.board_id == board_id, board_shares.c.user_id.in_(wanted))
            shares = {share.user_id: share for share in await self._shares(query)}
        if changed:
            self._record(BoardShared(owner, board_id, tuple(user for user in wanted if user in changed)))
        return [shares[user] for user in wanted]

    async def revoke(self, board_id: str, user_id: str) -> None:
        """End a share; anybody may end their own. Raises `NotFound` or `NotAllowed`."""
        if user_id != self._me:
            await self._owner_for_manager(board_id)
        async with self._ground.elevated(InternalReason.MANAGE_SHARES):
            gone = sa.delete(board_shares).where(board_shares.c.board_id == board_id, board_shares.c.user_id == user_id)
            row = await self._connection.fetch_one(gone.returning(board_shares.c.owner_id))
        if row is None:
            raise NotFound("share")
        self._record(BoardUnshared(row.owner_id, board_id, user_id))

    async def _share(self, board_id: str, owner: str, wanted: Sequence[str], level: Permission) -> set[str]:
        """Share with each of these; answers whose share is new or another."""
        values = {"board_id": board_id, "owner_id": owner, "permission": level.value, "shared_at": self._now()}
        # In order, so that two who share with the same users never wait for each other in a circle.
        each = sa.select(*[sa.literal(value) for value in values.values()], users.c.user_id).order_by(users.c.user_id)
        everybody = each.where(among(self._connection.dialect, users.c.user_id, wanted))
        insert = self._insert_into(board_shares).from_select([*values, "user_id"], everybody)
        upsert = insert.on_conflict_do_update(
            index_elements=["board_id", "user_id"],
            set_={"permission": insert.excluded.permission},
            where=board_shares.c.permission != insert.excluded.permission,
        )
        return {row.user_id for row in await self._connection.fetch_all(upsert.returning(board_shares.c.user_id))}

    async def _shares(self, query: sa.Select[Any]) -> list[Share]:
        return [
            Share(row.board_id, row.user_id, Permission(row.permission), row.shared_at)
            for row in await self._connection.fetch_all(query)
        ]

    async def _standing(self, board_id: str) -> tuple[bool, str]:
        """Whether the principal manages a board, and whose it is. Raises `NotFound`."""
        manageable = board_manageable(everything=self._everything)
        readable = board_readable(everything=self._everything)
        row = await self._one(sa.select(manageable, boards.c.user_id).where(boards.c.board_id == board_id, readable))
        if row is None:
            raise NotFound("board")
        return bool(row[0]), row.user_id

    async def _owner_for_manager(self, board_id: str) -> str:
        manages, owner = await self._standing(board_id)
        if not manages:
            raise NotAllowed("You may see this board but not share it.")
        return owner
