"""Boards."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database import Query
from tenantry.database.tables import board_shares, boards, media
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.base import Repository
from tenantry.repositories.changes import BoardCreated, BoardDeleted, BoardUpdated
from tenantry.repositories.checks import check_choice, check_name
from tenantry.repositories.pages import Page, Slice, check_window, decode_cursor, encode_cursor
from tenantry.tenancy.visibility import ME, BoardVisibility, board_manageable, board_readable, board_writable, owned

__all__ = ["Board", "BoardOrder", "Boards"]

BoardOrder = Literal["created_at", "board_name"]


@dataclass(frozen=True, slots=True)
class Board:
    """A board. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    board_id: str
    user_id: str
    board_name: str
    visibility: BoardVisibility
    archived: bool
    cover_image_name: str | None
    created_at: str
    updated_at: str


@cache
def _columns(everything: bool) -> tuple[ColumnElement[Any], ...]:
    """What a board is made of; the cover's name by a sub-select, so that one shape serves reads and RETURNING alike.

    A tenant learns the name of a cover that is on the board or their own, not of one that the owner keeps elsewhere.
    """
    named = sa.and_(media.c.media_id == boards.c.cover_media_id, sa.true() if everything else _usable(boards.c.board_id))
    return (
        boards.c.board_id,
        boards.c.user_id,
        boards.c.board_name,
        boards.c.visibility,
        boards.c.archived,
        sa.select(media.c.name).where(named).correlate(boards).scalar_subquery().label("cover_image_name"),
        boards.c.created_at,
        boards.c.updated_at,
    )


def _usable(board_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Which items may stand for a board: one's own, and those that are on it."""
    return sa.or_(media.c.user_id == ME, media.c.board_id == board_id)


class Boards(Repository):
    """The boards that a principal may see, and the changes that it may make to them."""

    __slots__ = ()

    async def create(self, board_name: str, *, visibility: str = BoardVisibility.PRIVATE) -> Board:
        """Create a board of one's own. Raises `InvalidInput` for a name or visibility that cannot be."""
        check_name(board_name, "board_name")
        now = self._now()
        board = Board(
            board_id=self._ground.ids(),
            user_id=self._me,
            board_name=board_name,
            visibility=check_choice(visibility, BoardVisibility, "board_visibility"),
            archived=False,
            cover_image_name=None,
            created_at=now,
            updated_at=now,
        )
        await self._insert(
            sa.insert(boards),
            board_id=board.board_id,
            user_id=board.user_id,
            board_name=board.board_name,
            visibility=board.visibility,
            archived=False,
            created_at=now,
            updated_at=now,
        )
        self._record(BoardCreated(board.user_id, board.board_id))
        return board

    async def get(self, board_id: str) -> Board:
        """One board. Raises `NotFound`."""
        row = await self._one(_get(self._everything), board_id=board_id)
        if row is None:
            raise NotFound("board")
        return _board(row)

    async def may_write(self, board_id: str) -> bool:
        """Whether the principal may put things on this board."""
        query = sa.select(sa.true()).where(boards.c.board_id == board_id, board_writable(everything=self._everything))
        return await self._one(query) is not None

    async def update(
        self,
        board_id: str,
        *,
        board_name: str | None = None,
        visibility: str | None = None,
        archived: bool | None = None,
        cover_image_name: str | None = None,
    ) -> Board:
        """Change what is given. Raises `NotFound`, `NotAllowed`, or `InvalidInput` (also for a cover that is not there)."""
        changes: dict[str, object] = {"updated_at": self._now()}
        if board_name is not None:
            changes["board_name"] = check_name(board_name, "board_name")
        if visibility is not None:
            changes["visibility"] = check_choice(visibility, BoardVisibility, "board_visibility")
        if archived is not None:
            changes["archived"] = archived
        if cover_image_name is not None:
            changes["cover_media_id"] = await self._cover(board_id, cover_image_name)
        before = None if visibility is None else await self._visibility(board_id)
        given = {f"new_{name}": value for name, value in changes.items()}
        row = await self._one(_update(self._everything, tuple(changes)), id=board_id, **given)
        if row is None:
            raise await self._refuse("board", _get(self._everything), board_id=board_id)
        board = _board(row)
        self._record(BoardUpdated(board.user_id, board_id, (before or board.visibility).is_open))
        return board

    async def delete(self, board_id: str) -> None:
        """Delete a board; what was on it becomes uncategorised. Raises `NotFound` or `NotAllowed`."""
        mine = sa.and_(boards.c.board_id == board_id, owned(boards, everything=self._everything))
        # Locked, so that nobody with whom it is shared at this moment is left out.
        board = await self._one(sa.select(boards.c.user_id, boards.c.visibility).where(mine).with_for_update())
        if board is None:
            raise await self._refuse("board", _get(self._everything), board_id=board_id)
        shared_with = await self._shared_with(board_id)
        await self._do(sa.delete(boards).where(mine))
        self._record(BoardDeleted(board.user_id, board_id, BoardVisibility(board.visibility).is_open, shared_with))

    async def page(
        self,
        *,
        offset: int = 0,
        limit: int = 20,
        order_by: BoardOrder = "created_at",
        descending: bool = True,
        include_archived: bool = False,
    ) -> Page[Board]:
        """Boards from `offset` on; names sort byte by byte."""
        check_window(limit, offset)
        wanted = self._wanted(include_archived)
        total = await self._value(sa.select(sa.func.count()).select_from(boards).where(*wanted))
        query = (
            sa.select(*_columns(self._everything))
            .where(*wanted)
            .order_by(*_order(order_by, descending))
            .limit(limit)
            .offset(offset)
        )
        return Page([_board(row) for row in await self._all(query)], total, offset, limit)

    async def slice(
        self,
        *,
        cursor: str | None = None,
        limit: int = 20,
        order_by: BoardOrder = "created_at",
        descending: bool = True,
        include_archived: bool = False,
    ) -> Slice[Board]:
        """Boards after a cursor. Raises `InvalidCursor`."""
        check_window(limit)
        filters = (order_by, descending, include_archived)
        column = boards.c[order_by]
        query = sa.select(*_columns(self._everything), boards.c.sequence).where(*self._wanted(include_archived))
        if cursor is not None:
            value, sequence = decode_cursor(cursor, "boards", filters, (str, int))
            place, key = sa.tuple_(column, boards.c.sequence), sa.tuple_(sa.literal(value), sa.literal(sequence))
            query = query.where(place < key if descending else place > key)
        rows = await self._all(query.order_by(*_order(order_by, descending)).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("boards", filters, (last._mapping[column], last.sequence)) if last is not None else None
        return Slice([_board(row) for row in rows[:limit]], following)

    async def all(
        self, *, order_by: BoardOrder = "created_at", descending: bool = True, include_archived: bool = False
    ) -> list[Board]:
        """Every board that the principal may see; names sort without regard to case (contract, section 4.3)."""
        order = _order(order_by, descending, fold_case=True)
        query = sa.select(*_columns(self._everything)).where(*self._wanted(include_archived)).order_by(*order)
        return [_board(row) for row in await self._all(query)]

    def _wanted(self, include_archived: bool) -> Sequence[sa.ColumnElement[bool]]:
        readable = board_readable(everything=self._everything)
        return [readable] if include_archived else [readable, boards.c.archived == sa.false()]

    async def _visibility(self, board_id: str) -> BoardVisibility | None:
        """Who sees a board that the principal manages; locked, so that it holds until the board is changed."""
        manageable = board_manageable(everything=self._everything)
        found = sa.select(boards.c.visibility).where(boards.c.board_id == board_id, manageable).with_for_update()
        row = await self._one(found)
        return None if row is None else BoardVisibility(row.visibility)

    async def _shared_with(self, board_id: str) -> tuple[str, ...]:
        shares = sa.select(board_shares.c.user_id).where(board_shares.c.board_id == board_id)
        return tuple(row.user_id for row in await self._connection.fetch_all(shares.order_by(board_shares.c.user_id)))

    async def _cover(self, board_id: str, image_name: str) -> int:
        usable = sa.true() if self._everything else _usable(sa.literal(board_id))
        query = sa.select(media.c.media_id).where(media.c.kind == "image", media.c.name == image_name, usable)
        media_id: int | None = await self._value(query)
        if media_id is None:
            # Whoever may not change the board learns that first, whatever they wanted to make its cover.
            manageable = board_manageable(everything=self._everything)
            if await self._one(sa.select(sa.true()).where(boards.c.board_id == board_id, manageable)) is None:
                raise await self._refuse("board", _get(self._everything), board_id=board_id)
            raise InvalidInput("There is no such image.", field="cover_image_name")
        return media_id


@cache
def _get(everything: bool) -> Select[Any]:
    return sa.select(*_columns(everything)).where(
        boards.c.board_id == sa.bindparam("board_id"), board_readable(everything=everything)
    )


@cache
def _update(everything: bool, changed: tuple[str, ...]) -> Query:
    return (
        sa.update(boards)
        .where(boards.c.board_id == sa.bindparam("id"), board_manageable(everything=everything))
        .values({name: sa.bindparam(f"new_{name}") for name in changed})
        .returning(*_columns(everything))
    )


def _order(order_by: BoardOrder, descending: bool, *, fold_case: bool = False) -> list[sa.ColumnElement[Any]]:
    column: sa.ColumnElement[Any] = boards.c[order_by]
    if fold_case and order_by == "board_name":
        column = sa.func.lower(column)
    keys: list[sa.ColumnElement[Any]] = [column, boards.c.sequence]
    return [key.desc() if descending else key.asc() for key in keys]


def _board(row: Row[Any]) -> Board:
    return Board(
        row.board_id,
        row.user_id,
        row.board_name,
        BoardVisibility(row.visibility),
        row.archived,
        row.cover_image_name,
        row.created_at,
        row.updated_at,
    )
