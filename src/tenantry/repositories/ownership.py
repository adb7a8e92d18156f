"""Whose rows are whose, and how they change hands: when a user goes, and when a single-user studio's rows find their user."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import (
    board_shares,
    client_state,
    import_residue,
    media,
    queue_items,
    style_presets,
    users,
    workflows,
)
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.base import among
from tenantry.repositories.changes import LibraryTransferred
from tenantry.repositories.departures import lost_to_others
from tenantry.repositories.emails import spellings
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.owners import owned_tables
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.repositories.queue_counts import recount
from tenantry.repositories.user_lists import UserKind, by_email, closest, named
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["MediaFile", "Ownership", "RowsMoved", "RowsRemoved"]

_DOING = "change whose things are whose"

_EVERYBODYS: dict[sa.Table, ColumnElement[bool]] = {
    workflows: workflows.c.category == "default",
    style_presets: style_presets.c.type == "default",
}
"""What comes with the studio; it stays with the system user."""

_NAMING_A_USER = ("user_id", "invited_by")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """An image's or video's file, by the name and folder that its record had."""

    kind: str
    name: str
    subfolder: str


@dataclass(frozen=True, slots=True)
class RowsMoved:
    """How many rows of each table have another owner now."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class RowsRemoved:
    """How many rows of each table are gone, and whose files are to be deleted once the transaction is committed."""

    rows: dict[str, int]
    files: list[MediaFile]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


class Ownership(PrivilegedWrites):
    """Takes care of every table that has an owner; for administrators and Tenantry itself, tenants get `NotAllowed`.

    The user itself stays; `work.users.delete` comes after.
    """

    __slots__ = ()

    async def count(self, user_id: str) -> dict[str, int]:
        """How many rows of each table a user owns; tables without any are left out."""
        self._only_privileged(_DOING)
        tables = (*owned_tables(), queue_items, client_state, board_shares)
        return _without_zeros({table.name: await self._count(table, user_id) for table in tables})

    async def delete_data(self, user_id: str) -> RowsRemoved:
        """Delete all that a user owns. Others' images and videos on the user's boards stay, on no board. Raises `NotFound`."""
        await self._hold(user_id)
        lost = await lost_to_others(self._connection, user_id)
        gone = sa.delete(media).where(media.c.user_id == user_id)
        rows = await self._all(gone.returning(media.c.kind, media.c.name, media.c.subfolder))
        files = [MediaFile(row.kind, row.name, row.subfolder) for row in rows]
        counts = {media.name: len(files)}
        theirs = sa.or_(board_shares.c.user_id == user_id, board_shares.c.owner_id == user_id)
        counts[board_shares.name] = await self._do(sa.delete(board_shares).where(theirs))
        # Items go with their batches by the foreign key, those that run too.
        counts[queue_items.name] = await self._count(queue_items, user_id)
        for table in (*owned_tables(), client_state):
            if table is not media:
                counts[table.name] = await self._do(sa.delete(table).where(table.c.user_id == user_id))
        counts[import_residue.name] = await self._forget_residue(user_id)
        await recount(self._connection, user_id)
        removed = RowsRemoved(_without_zeros(counts), files)
        self._note(AuditAction.DATA_DELETED, user_id, rows=removed.total)
        self._record(*lost)
        return removed

    async def transfer(self, user_id: str, to: str) -> RowsMoved:
        """Give all that a user owns to another. Raises `NotFound`, and `InvalidInput` for a receiver that cannot be.

        Boards keep their shares. What others shared with the user ends, since they chose that user and nobody else; of
        client state the receiver keeps their own where both have some.
        """
        await self._hold(user_id)
        if to == user_id or await self._kind_of(to) is not UserKind.PERSON:
            raise InvalidInput("This user cannot be given anything.", field="to", remedy="Name another user of the studio.")
        return await self._give(user_id, to)

    async def keep(self, user_id: str) -> RowsMoved:
        """Keep all that a user owns under the system user. Raises `NotFound`, and `InvalidInput` for the system user."""
        await self._hold(user_id)
        if user_id == SYSTEM_USER_ID:
            raise InvalidInput("The system user keeps its things already.", field="user_id")
        return await self._give(user_id, SYSTEM_USER_ID)

    async def legacy_assign(self, email: str) -> RowsMoved:
        """Give a user what a single-user studio left under the system user, except what comes with every studio.

        Raises `NotFound` for an address that nobody has.
        """
        self._only_privileged(_DOING)
        wanted = spellings(email)
        people = by_email(users.c.user_id, users.c.email, everything=True).where(users.c.kind == UserKind.PERSON)
        receiver = closest(wanted, await self._all(people, **named(wanted)))
        if receiver is None:
            raise NotFound("user", field="email")
        await self._hold(SYSTEM_USER_ID)
        return await self._give(SYSTEM_USER_ID, receiver.user_id)

    async def _give(self, giver: str, to: str) -> RowsMoved:
        """Change the owner of every row; shares of boards and items of batches follow theirs by the foreign key."""
        counts = {queue_items.name: await self._count(queue_items, giver)}
        # Nobody has a share of their own board.
        both = sa.and_(board_shares.c.owner_id == giver, board_shares.c.user_id == to)
        received = board_shares.c.user_id == giver
        ended = await self._do(sa.delete(board_shares).where(both if giver == SYSTEM_USER_ID else sa.or_(both, received)))
        for table in owned_tables():
            theirs = [table.c.user_id == giver]
            if giver == SYSTEM_USER_ID and table in _EVERYBODYS:
                theirs.append(sa.not_(_EVERYBODYS[table]))
            counts[table.name] = await self._do(sa.update(table).where(*theirs).values(user_id=to))
        counts[client_state.name] = await self._give_client_state(giver, to)
        if giver != SYSTEM_USER_ID:
            await self._forget_residue(giver)
        await recount(self._connection, giver, to)
        moved = RowsMoved(_without_zeros(counts))
        self._note(AuditAction.DATA_GIVEN, giver, to=to, rows=moved.total)
        if moved.total or ended:
            self._record(LibraryTransferred(giver, to))
        return moved

    async def _count(self, table: sa.Table, user_id: str) -> int:
        count: int = await self._value(sa.select(sa.func.count()).select_from(table).where(table.c.user_id == user_id))
        return count

    async def _give_client_state(self, giver: str, to: str) -> int:
        own = client_state.alias("own")
        kept = sa.select(own.c.key).where(own.c.user_id == to)
        theirs = client_state.c.user_id == giver
        moved = await self._do(sa.update(client_state).where(theirs, client_state.c.key.not_in(kept)).values(user_id=to))
        if giver != SYSTEM_USER_ID:
            await self._do(sa.delete(client_state).where(theirs))
        return moved

    async def _forget_residue(self, user_id: str) -> int:
        """Forget rows of unused tables that an import kept and that point at the user, such as their old sessions."""
        place = sa.func.instr if self._connection.dialect == "sqlite" else sa.func.strpos
        held = import_residue.c
        # The text is looked for first, so that only a few documents are read.
        candidates = sa.select(held.residue_id, held.value).where(
            held.column_name.is_(None), place(held.value, json.dumps(user_id)) > 0
        )
        found = [row.residue_id for row in await self._all(candidates) if _names(row.value, user_id)]
        if not found:
            return 0
        return await self._do(sa.delete(import_residue).where(among(self._connection.dialect, held.residue_id, found)))

    async def _hold(self, user_id: str) -> None:
        """Keep rows of the user from being added until the transaction ends. Raises `NotFound` or `NotAllowed`."""
        self._only_privileged(_DOING)
        if await self._one(sa.select(users.c.user_id).where(users.c.user_id == user_id).with_for_update()) is None:
            raise NotFound("user")

    async def _kind_of(self, user_id: str) -> UserKind | None:
        kind = await self._value(sa.select(users.c.kind).where(users.c.user_id == user_id))
        return None if kind is None else UserKind(kind)


def _names(document: str, user_id: str) -> bool:
    row = json.loads(document)
    return isinstance(row, dict) and any(row.get(name) == user_id for name in _NAMING_A_USER)


def _without_zeros(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
