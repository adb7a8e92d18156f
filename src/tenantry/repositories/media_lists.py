"""Lists of images and videos: who sees which rows, in which order, page by page.

Three lists share this file and differ in what breaks ties of the creation time (contract, sections 4.1, 4.2, 4.4): images in
the order of insertion, videos by name, the gallery by kind and name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import boards, media
from tenantry.errors import InvalidInput
from tenantry.repositories.base import Ground, Repository
from tenantry.repositories.media_values import UNCATEGORIZED, MediaItem, MediaKind, MediaNames, MediaQuery
from tenantry.repositories.pages import Page, Slice, check_window, decode_cursor, encode_cursor
from tenantry.repositories.search import matches, narrowed, normalized
from tenantry.tenancy.visibility import board_readable, owned

__all__ = ["ITEM_COLUMNS", "ListKind", "MediaLists", "media_item"]

ITEM_COLUMNS = (
    media.c.kind,
    media.c.name,
    media.c.user_id,
    media.c.board_id,
    media.c.origin,
    media.c.category,
    media.c.width,
    media.c.height,
    media.c.duration,
    media.c.fps,
    media.c.session_id,
    media.c.node_id,
    media.c.is_intermediate,
    media.c.starred,
    media.c.has_workflow,
    media.c.subfolder,
    media.c.created_at,
    media.c.updated_at,
)
_ITEM_WIDTH = len(ITEM_COLUMNS)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class ListKind:
    """One of the three lists: which kind it shows (None: both) and what breaks ties of the creation time."""

    name: str
    kind: MediaKind | None
    ties: tuple[sa.Column[Any], ...]
    tie_types: tuple[type, ...]


class MediaLists(Repository):
    """Reads the rows of one list."""

    __slots__ = ("_list",)

    def __init__(self, ground: Ground, list_kind: ListKind) -> None:
        super().__init__(ground)
        self._list = list_kind

    async def page(self, query: MediaQuery, *, offset: int = 0, limit: int = 100) -> Page[MediaItem]:
        """The items from `offset` on, with the number of all. Raises `InvalidInput`."""
        check_window(limit, offset)
        wanted = await self._wanted(query)
        total = await self._value(_counting(*wanted))
        rows: Sequence[Row[Any]] = []
        if offset < total:
            # The ids come from the index alone, so that skipped rows are never read.
            ids = sa.select(media.c.media_id).where(*wanted).order_by(*self._order(query)).limit(limit).offset(offset)
            chosen = ids.subquery("chosen")
            rows = await self._all(
                sa.select(*ITEM_COLUMNS).join(chosen, chosen.c.media_id == media.c.media_id).order_by(*self._order(query))
            )
        return Page([media_item(row) for row in rows], total, offset, limit)

    async def slice(self, query: MediaQuery, *, cursor: str | None = None, limit: int = 100) -> Slice[MediaItem]:
        """The items after a cursor, at the same cost wherever it stands. Raises `InvalidInput` and `InvalidCursor`."""
        check_window(limit)
        keys = self._keys(query)
        wanted = await self._wanted(query)
        if cursor is not None:
            types = ((bool,) if query.starred_first else ()) + (str, *self._list.tie_types)
            wanted.append(_after(query, keys, decode_cursor(cursor, self._list.name, query, types)))
        select = sa.select(*ITEM_COLUMNS, *self._list.ties).where(*wanted).order_by(*self._order(query)).limit(limit + 1)
        rows = await self._all(select)
        following = None
        if len(rows) > limit:
            item, ties = media_item(rows[limit - 1]), tuple(rows[limit - 1])[_ITEM_WIDTH:]
            key = ((item.starred,) if query.starred_first else ()) + (item.created_at, *ties)
            following = encode_cursor(self._list.name, query, key)
        return Slice([media_item(row) for row in rows[:limit]], following)

    async def names(self, query: MediaQuery) -> MediaNames:
        """All names in order, read from the index alone."""
        wanted = await self._wanted(query)
        rows = await self._all(sa.select(media.c.name).where(*wanted).order_by(*self._order(query)))
        starred = 0
        if query.starred_first and rows:
            starred = await self._value(_counting(*wanted, media.c.starred == sa.true()))
        return MediaNames([row[0] for row in rows], starred, len(rows))

    async def count(self, query: MediaQuery) -> int:
        """How many items match."""
        return int(await self._value(_counting(*await self._wanted(query))))

    async def _wanted(self, query: MediaQuery) -> list[ColumnElement[bool]]:
        wanted = [self._listed(query.board), *_filters(query)]
        if self._list.kind is not None:
            wanted.append(media.c.kind == self._list.kind)
        term = normalized(query.search)
        if term is not None:
            wanted += [*await narrowed(self._connection, term), matches(self._connection.dialect, term)]
        return wanted

    def _listed(self, board: str | None) -> ColumnElement[bool]:
        """The scope of a list: a readable board's items whoever made them, else one's own."""
        if board is None:
            return owned(media, everything=self._everything)
        if board == UNCATEGORIZED:
            return sa.and_(owned(media, everything=self._everything), media.c.board_id.is_(None))
        readable = sa.exists().where(boards.c.board_id == board, board_readable(everything=self._everything))
        return sa.and_(media.c.board_id == board, readable)

    def _keys(self, query: MediaQuery) -> list[sa.Column[Any]]:
        return [*([media.c.starred] if query.starred_first else []), media.c.created_at, *self._list.ties]

    def _order(self, query: MediaQuery) -> list[ColumnElement[Any]]:
        starred = [media.c.starred.desc()] if query.starred_first else []
        rest = (media.c.created_at, *self._list.ties)
        return [*starred, *(key.desc() if query.descending else key.asc() for key in rest)]


def media_item(row: Row[Any]) -> MediaItem:
    """The value of a row that begins with `ITEM_COLUMNS`."""
    return MediaItem(*row[:_ITEM_WIDTH])


def _counting(*wanted: ColumnElement[bool]) -> Select[Any]:
    return sa.select(sa.func.count()).select_from(media).where(*wanted)


def _filters(query: MediaQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.categories is not None:
        wanted.append(media.c.category.in_(sorted(set(query.categories))))
    if query.origin is not None:
        wanted.append(media.c.origin == query.origin)
    if query.is_intermediate is not None:
        wanted.append(media.c.is_intermediate == (sa.true() if query.is_intermediate else sa.false()))
    if query.created_on is not None:
        if not _DATE.fullmatch(query.created_on):
            raise InvalidInput("This is not a date.", field="date", remedy="Use the form YYYY-MM-DD.")
        # A tilde sorts after everything that can follow a date.
        wanted += [media.c.created_at >= query.created_on, media.c.created_at < f"{query.created_on}~"]
    return wanted


def _after(query: MediaQuery, keys: list[sa.Column[Any]], place: Sequence[Any]) -> ColumnElement[bool]:
    """Rows behind the one with this key; only an ascending list with starred items first runs in two directions."""
    if query.descending:
        return sa.tuple_(*keys) < sa.tuple_(*map(_literal, place))
    if not query.starred_first:
        return sa.tuple_(*keys) > sa.tuple_(*map(_literal, place))
    same = media.c.starred == _literal(place[0])
    behind = sa.and_(same, sa.tuple_(*keys[1:]) > sa.tuple_(*map(_literal, place[1:])))
    return sa.or_(behind, media.c.starred == sa.false()) if place[0] else behind


def _literal(value: Any) -> ColumnElement[Any]:
    if isinstance(value, bool):
        return sa.true() if value else sa.false()
    return sa.literal(value)
