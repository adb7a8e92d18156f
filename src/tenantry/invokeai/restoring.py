"""Reads our rows in the order of their keys and turns them into InvokeAI's, with everything that an import kept aside."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.database.tables import batches, board_shares, boards, import_residue, media, move_items, queue_items, users
from tenantry.invokeai import mapping as maps
from tenantry.invokeai.mapping import Mapping, Row
from tenantry.invokeai.queue_rows import BATCH_COLUMNS, whole_item
from tenantry.invokeai.residue import ABSENT, find_residue, load_row, put_back, row_key

__all__ = ["SECTIONS", "Section", "kept_rows", "kept_tables", "restored"]

_ROWS = 200

_cover = media.alias("cover")


@dataclass(frozen=True, slots=True)
class Section:
    """A table of theirs and where its rows are: `order` is a unique key of the query, `more` columns of other tables.

    `complete` fills in what a row of ours says by what it points at.
    """

    mapping: Mapping
    order: tuple[sa.ColumnElement[Any], ...]
    only: sa.ColumnElement[bool] = field(default_factory=sa.true)
    joined: sa.FromClause | None = None
    more: tuple[sa.ColumnElement[Any], ...] = ()
    complete: Callable[[Row], Row] = lambda row: row

    def query(self) -> sa.Select[Any]:
        target = self.mapping.target
        columns = dict.fromkeys(each.ours for each in self.mapping.fields)
        order = (column.label(f"order_{place}") for place, column in enumerate(self.order))
        chosen = sa.select(*(target.c[name] for name in columns), *self.more, *order)
        return chosen.select_from(target if self.joined is None else self.joined).where(self.only).order_by(*self.order)


def _media(mapping: Mapping, kind: str) -> Section:
    return Section(mapping, (media.c.media_id,), media.c.kind == kind)


def _membership(mapping: Mapping, kind: str) -> Section:
    on_board = sa.and_(media.c.kind == kind, media.c.board_id.is_not(None))
    return Section(mapping, (media.c.media_id,), on_board)


def _simple(mapping: Mapping, *order: str) -> Section:
    return Section(mapping, tuple(mapping.target.c[name] for name in order or mapping.target_key))


SECTIONS = (
    Section(maps.USERS, (users.c.created_at, users.c.user_id), users.c.kind != "tombstone"),
    _simple(maps.APP_SETTINGS),
    _simple(maps.CLIENT_STATE),
    _media(maps.IMAGES, "image"),
    Section(
        maps.BOARDS,
        (boards.c.sequence,),
        joined=boards.outerjoin(_cover, sa.and_(_cover.c.media_id == boards.c.cover_media_id, _cover.c.kind == "image")),
        more=(_cover.c.name.label("cover_image_name"),),
    ),
    _media(maps.VIDEOS, "video"),
    _membership(maps.BOARD_IMAGES, "image"),
    _membership(maps.BOARD_VIDEOS, "video"),
    Section(maps.SHARED_BOARDS, (board_shares.c.board_id, board_shares.c.user_id)),
    _simple(maps.MODELS),
    _simple(maps.MODEL_RELATIONSHIPS),
    _simple(maps.WORKFLOWS, "sequence"),
    _simple(maps.STYLE_PRESETS),
    _simple(maps.SYSTEM_PROMPTS),
    Section(
        maps.SESSION_QUEUE,
        (queue_items.c.item_id,),
        joined=queue_items.join(batches, batches.c.batch_key == queue_items.c.batch_key),
        more=BATCH_COLUMNS,
        complete=whole_item,
    ),
    _simple(maps.MOVE_JOBS),
    Section(
        maps.MOVE_ITEMS,
        (move_items.c.job_id, move_items.c.media_id),
        media.c.kind == "image",
        joined=move_items.join(media, media.c.media_id == move_items.c.media_id),
        more=(media.c.name.label("image_name"),),
    ),
)
"""All tables that have rows of their own here, in an order in which nothing points ahead but a board's cover."""


async def restored(connection: Connection, section: Section) -> AsyncIterator[list[Row]]:
    """Their rows, batch by batch."""
    mapping = section.mapping
    more = {column.key for column in section.more}
    extra = [column.key for column in mapping.source.c if column.key in more]
    async for batch in _pages(connection, section):
        whole = [section.complete(row) for row in batch]
        given = [{**mapping.give(row), **{name: row[name] for name in extra}} for row in whole]
        keys = [row_key(row, mapping.key) for row in given]
        kept = await find_residue(connection, mapping.name, keys)
        found = [(row, kept.get(key, [])) for row, key in zip(given, keys, strict=True)]
        yield [
            put_back(residue, row)
            for row, residue in found
            if not any(each.column is None and each.value == ABSENT for each in residue)
        ]


async def kept_tables(connection: Connection) -> list[str]:
    """The tables of which whole rows were kept aside."""
    held = import_residue.c
    query = sa.select(held.source_table).where(held.column_name.is_(None)).distinct().order_by(held.source_table)
    return [row[0] for row in await connection.fetch_all(query)]


async def kept_rows(connection: Connection, table: str) -> AsyncIterator[list[Row]]:
    """The rows of a table that were kept aside whole, batch by batch."""
    held = import_residue.c
    query = (
        sa.select(held.residue_id, held.value)
        .where(
            held.source_table == table,
            held.column_name.is_(None),
            held.value != ABSENT,
            held.residue_id > sa.bindparam("after"),
        )
        .order_by(held.residue_id)
        .limit(_ROWS)
    )
    after = 0
    while rows := await connection.fetch_all(query, {"after": after}):
        after = rows[-1].residue_id
        yield [load_row(row.value) for row in rows]


async def _pages(connection: Connection, section: Section) -> AsyncIterator[list[Row]]:
    query = section.query().limit(_ROWS)
    rows = [dict(row._mapping) for row in await connection.fetch_all(query)]
    while rows:
        yield rows
        last = [rows[-1][f"order_{place}"] for place in range(len(section.order))]
        beyond = query.where(_after(section.order, last))
        rows = [dict(row._mapping) for row in await connection.fetch_all(beyond)]


def _after(order: Sequence[sa.ColumnElement[Any]], last: Sequence[object]) -> sa.ColumnElement[bool]:
    return sa.tuple_(*order) > sa.tuple_(*_bound(order, last))


def _bound(order: Sequence[sa.ColumnElement[Any]], last: Sequence[object]) -> Iterator[sa.ColumnElement[Any]]:
    for column, value in zip(order, last, strict=True):
        yield sa.literal(value, column.type)
