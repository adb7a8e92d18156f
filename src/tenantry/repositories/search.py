"""Substring search in the metadata of images and videos.

A term matches a row whose metadata contains it, ASCII letters without regard to case, or whose time contains it. `%` and `_`
mean themselves. On SQLite a text index over substrings of three narrows the candidates; it is filled in the background, and
rows that it lacks are candidates too. Every candidate is compared with the term itself, so the index decides nothing but speed.
On PostgreSQL the planner picks the trigram index, where there is one, by itself.
"""

import re
import string
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database import Connection, Dialect
from tenantry.database.tables import media, search_progress
from tenantry.errors import NotAllowed
from tenantry.repositories.base import Repository, among
from tenantry.repositories.checks import check_text

__all__ = ["SearchIndex", "matches", "narrowed", "normalized"]

MAX_TERM = 1_000
"""Characters at most: room for a part of a prompt, which people paste."""

_COMMON = 4_000
_TRIGRAMS_ASKED = 8
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PART_OF_A_TIME = re.compile(r"[0-9:. -]{1,23}")

_text_index = sa.table("media_text", sa.column("rowid", sa.Integer), sa.column("metadata", sa.Text))
_candidates = sa.union_all(
    sa.select(_text_index.c.rowid).where(sa.literal_column("media_text").op("MATCH")(sa.bindparam("trigrams"))),
    sa.select(media.c.media_id).where(
        media.c.media_id > sa.select(sa.func.coalesce(sa.func.max(search_progress.c.indexed_through), 0)).scalar_subquery()
    ),
).limit(sa.bindparam("most"))


def normalized(term: str | None) -> str | None:
    """The term with its ASCII letters lowered, or None for an empty one. Raises `InvalidInput` for one that cannot be."""
    if term is None or not term.strip():
        return None
    return check_text(term, "search_term", most=MAX_TERM).translate(_ASCII_LOWER)


def matches(dialect: Dialect, term: str) -> ColumnElement[bool]:
    """The condition that a row matches; true for no row without metadata unless its time matches."""
    pattern = "%" + term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    # SQLite's LIKE folds ASCII by itself; lower() on PostgreSQL folds no more than that, because the collation is C.
    column = media.c.metadata if dialect == "sqlite" else sa.func.lower(media.c.metadata)
    in_metadata = column.like(pattern, escape="\\")
    if not _PART_OF_A_TIME.fullmatch(term):
        return in_metadata
    return sa.or_(in_metadata, media.c.created_at.like(pattern, escape="\\"))


async def narrowed(connection: Connection, term: str) -> list[ColumnElement[bool]]:
    """A condition that leaves few candidates for a term that few rows match; none where the ordered plan is better.

    Terms that are common, shorter than three characters or part of a time are best found by walking the list in its order.
    """
    if connection.dialect != "sqlite" or len(term) < 3 or _PART_OF_A_TIME.fullmatch(term):
        return []
    rows = await connection.fetch_all(_candidates, {"trigrams": _trigram_query(term), "most": _COMMON + 1})
    if len(rows) > _COMMON:
        return []
    return [among(connection.dialect, media.c.media_id, [row[0] for row in rows])]


class SearchIndex(Repository):
    """The background step that brings SQLite's text index up to date."""

    __slots__ = ()

    async def pending(self) -> int:
        """Rows that are not in the index yet; 0 on PostgreSQL, which keeps its own. Raises `NotAllowed` for a tenant."""
        self._only_privileged()
        if self._connection.dialect != "sqlite":
            return 0
        return int(await self._value(sa.select(sa.func.count()).where(media.c.media_id > _through())))

    async def index(self, most: int = 200) -> int:
        """Add up to `most` rows; answers how many. Keep `most` small: the writer is held meanwhile.

        Raises `NotAllowed` for a tenant, because the rows are everybody's.
        """
        self._only_privileged()
        if self._connection.dialect != "sqlite":
            return 0
        waiting = sa.select(media.c.media_id, media.c.metadata).where(media.c.media_id > _through())
        rows = await self._all(waiting.order_by(media.c.media_id).limit(most))
        if not rows:
            return 0
        await self._connection.execute_many(
            sa.insert(_text_index),
            [{"rowid": row.media_id, "metadata": row.metadata} for row in rows if row.metadata is not None],
        )
        await self._connection.execute(sa.delete(search_progress))
        await self._insert(sa.insert(search_progress), indexed_through=rows[-1].media_id)
        return len(rows)

    def _only_privileged(self) -> None:
        if not self._everything:
            raise NotAllowed("Only Tenantry itself keeps the text index.")


def _through() -> sa.ScalarSelect[Any]:
    return sa.select(sa.func.coalesce(sa.func.max(search_progress.c.indexed_through), 0)).scalar_subquery()


def _trigram_query(term: str) -> str:
    """Some of the term's substrings of three, spread over it, all of which a match must contain."""
    starts = range(len(term) - 2)
    step = max(1, len(starts) // _TRIGRAMS_ASKED)
    chosen = {term[start : start + 3] for start in [*starts[::step], starts[-1]]}
    return " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in sorted(chosen))
