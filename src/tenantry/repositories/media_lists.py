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
            rows = await self._all(self._window(query, wanted, total, offset, min(limit, total - offset)))
        return Page([media_item(row) for row in rows], total, offset, limit)

    async def slice(self, query: MediaQuery, *, cursor: str | None = None, limit: int = 100) -> Slice[MediaItem]:
        """The items after a cursor, at the same cost wherever it stands. Raises `InvalidInput` and `InvalidCursor`."""
        check_window(limit)
        wanted = await self._wanted(query)
        place = None if cursor is None else decode_cursor(cursor, self._list.name, query, self._key_types(query))
        rows = await self._all(self._behind(query, wanted, place, limit + 1))
        following = None
        if len(rows) > limit:
            following = encode_cursor(self._list.name, query, self._key(query, rows[limit - 1]))
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

    def _window(self, query: MediaQuery, wanted: list[ColumnElement[bool]], total: int, offset: int, size: int) -> Select[Any]:
        """The rows of a page, reached from whichever end of the list is nearer."""
        from_end = offset > total // 2
        # The ids come from the index alone, so that skipped rows are never read.
        ids = sa.select(media.c.media_id).where(*wanted).order_by(*self._order(query, from_end=from_end)).limit(size)
        chosen = ids.offset(total - offset - size if from_end else offset).subquery("chosen")
        return sa.select(*ITEM_COLUMNS).join(chosen, chosen.c.media_id == media.c.media_id).order_by(*self._order(query))

    def _behind(
        self, query: MediaQuery, wanted: list[ColumnElement[bool]], place: Sequence[Any] | None, limit: int
    ) -> Select[Any]:
        """The first rows behind a sort key.

        With starred items first these are two ordered walks, one for each value, so that either direction of time follows
        an index from its very place, and no planner has to guess how many rows a comparison with a truth value leaves.
        """
        if not query.starred_first:
            return self._walk(query, wanted, place, limit)
        walks = []
        for starred in (True, False):
            if place is None or place[0] == starred:
                here = [*wanted, media.c.starred == _truth(starred)]
                walks.append(self._walk(query, here, None if place is None else place[1:], limit))
            elif place[0]:
                walks.append(self._walk(query, [*wanted, media.c.starred == _truth(starred)], None, limit))
        if len(walks) == 1:
            return walks[0]
        both = sa.union_all(*(sa.select(walk.subquery()) for walk in walks)).subquery("both")
        keys = [both.c[column.name] for column in self._time_and_ties]
        return sa.select(both).order_by(both.c.starred.desc(), *_directed(keys, query.descending)).limit(limit)

    def _walk(
        self, query: MediaQuery, wanted: list[ColumnElement[bool]], place: Sequence[Any] | None, limit: int
    ) -> Select[Any]:
        walk = sa.select(*ITEM_COLUMNS, media.c.media_id).where(*wanted)
        if place is not None:
            key, there = sa.tuple_(*self._time_and_ties), sa.tuple_(*map(sa.literal, place))
            walk = walk.where(key < there if query.descending else key > there)
        return walk.order_by(*_directed(self._time_and_ties, query.descending)).limit(limit)

    @property
    def _time_and_ties(self) -> tuple[sa.Column[Any], ...]:
        return (media.c.created_at, *self._list.ties)

    def _key(self, query: MediaQuery, row: Row[Any]) -> list[Any]:
        starred = [row.starred] if query.starred_first else []
        return [*starred, *(row._mapping[column.name] for column in self._time_and_ties)]

    def _key_types(self, query: MediaQuery) -> list[type]:
        return [*([bool] if query.starred_first else []), str, *self._list.tie_types]

    def _order(self, query: MediaQuery, *, from_end: bool = False) -> list[ColumnElement[Any]]:
        starred = [_sorted(media.c.starred, descending=not from_end)] if query.starred_first else []
        return [*starred, *_directed(self._time_and_ties, query.descending != from_end)]


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
        wanted.append(media.c.is_intermediate == _truth(query.is_intermediate))
    if query.created_on is not None:
        if not _DATE.fullmatch(query.created_on):
            raise InvalidInput("This is not a date.", field="date", remedy="Use the form YYYY-MM-DD.")
        # A tilde sorts after everything that can follow a date.
        wanted += [media.c.created_at >= query.created_on, media.c.created_at < f"{query.created_on}~"]
    return wanted


def _directed(keys: Sequence[ColumnElement[Any]], descending: bool) -> list[ColumnElement[Any]]:
    return [_sorted(key, descending=descending) for key in keys]


def _sorted(key: ColumnElement[Any], *, descending: bool) -> ColumnElement[Any]:
    return key.desc() if descending else key.asc()


def _truth(value: bool) -> ColumnElement[bool]:
    return sa.true() if value else sa.false()
