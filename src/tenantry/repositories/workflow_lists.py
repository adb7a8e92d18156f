"""Lists, counts and tags of the workflow library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import workflows
from tenantry.errors import InvalidCursor, InvalidInput
from tenantry.repositories.base import Repository
from tenantry.repositories.checks import check_choice
from tenantry.repositories.matching import contains, folded
from tenantry.repositories.pages import Page, Slice, check_window, decode_cursor, encode_cursor
from tenantry.repositories.workflow_documents import WorkflowCategory, split_tags
from tenantry.tenancy.visibility import workflow_readable

__all__ = ["SUMMARY_COLUMNS", "WorkflowLists", "WorkflowOrder", "WorkflowQuery", "WorkflowSummary", "summary_values"]

WorkflowOrder = Literal["created_at", "updated_at", "opened_at", "name", "is_public"]

_ORDERS: tuple[WorkflowOrder, ...] = ("created_at", "updated_at", "opened_at", "name", "is_public")

SUMMARY_COLUMNS = (
    workflows.c.workflow_id,
    workflows.c.user_id,
    workflows.c.is_public,
    workflows.c.category,
    workflows.c.name,
    workflows.c.description,
    workflows.c.tags,
    workflows.c.opened_at,
    workflows.c.created_at,
    workflows.c.updated_at,
)
_FIELDS = tuple(column.name for column in SUMMARY_COLUMNS)


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """A workflow as lists show it. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`; `opened_at` is None until it was opened."""

    workflow_id: str
    user_id: str
    is_public: bool
    category: WorkflowCategory
    name: str
    description: str
    tags: str | None
    opened_at: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class WorkflowQuery:
    """Which workflows a list shows, of those that the principal may see. What is None or empty filters nothing.

    `tags`: at least one of these is part of the tags. `search`: is part of name, description or tags.
    `owner_or_default`: this user's and those that come with the studio.
    """

    categories: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    has_been_opened: bool | None = None
    search: str | None = None
    is_public: bool | None = None
    owner_or_default: str | None = None
    order_by: WorkflowOrder = "name"
    descending: bool = False


_EVERYTHING = WorkflowQuery()


class WorkflowLists(Repository):
    """Reads the library; names sort byte by byte, equal keys by insertion, never opened ones before others."""

    __slots__ = ()

    async def page(self, query: WorkflowQuery = _EVERYTHING, *, offset: int = 0, limit: int = 100) -> Page[WorkflowSummary]:
        """The workflows from `offset` on, with the number of all. Raises `InvalidInput`."""
        check_window(limit, offset)
        wanted = self._wanted(query)
        total = await self._value(sa.select(sa.func.count()).select_from(workflows).where(*wanted))
        chosen = _chosen(query, wanted).limit(limit).offset(offset)
        rows = await self._all(_summaries(query, chosen)) if offset < total else []
        return Page([_summary(row) for row in rows], total, offset, limit)

    async def slice(
        self, query: WorkflowQuery = _EVERYTHING, *, cursor: str | None = None, limit: int = 100
    ) -> Slice[WorkflowSummary]:
        """The workflows after a cursor. Raises `InvalidInput` and `InvalidCursor`."""
        check_window(limit)
        wanted = self._wanted(query)
        if cursor is not None:
            key_type = bool if query.order_by == "is_public" else str
            value, sequence = decode_cursor(cursor, "workflows", query, (key_type, int))
            wanted.append(_after(query, value, sequence))
        key = workflows.c[query.order_by]
        rows = await self._all(_summaries(query, _chosen(query, wanted).limit(limit + 1)))
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("workflows", query, (last._mapping[key], last.sequence)) if last is not None else None
        return Slice([_summary(row) for row in rows[:limit]], following)

    async def all(self, query: WorkflowQuery = _EVERYTHING) -> list[WorkflowSummary]:
        """Every workflow that matches, in order. Raises `InvalidInput`."""
        rows = await self._all(_summaries(query, _chosen(query, self._wanted(query))))
        return [_summary(row) for row in rows]

    async def counts_by_tag(self, tags: Sequence[str], query: WorkflowQuery = _EVERYTHING) -> dict[str, int]:
        """For each of these, how many matching workflows have it as a part of their tags. Raises `InvalidInput`."""
        terms = {tag: folded(tag.strip(), "tags") for tag in tags}
        if not terms:
            return {}
        # Equal texts are common, so each is compared once however many workflows have it.
        text = sa.func.lower(workflows.c.tags).label("text")
        used = sa.func.count().label("used")
        rows = await self._all(sa.select(text, used).where(workflows.c.tags.is_not(None), *self._wanted(query)).group_by(text))
        return {tag: sum(row.used for row in rows if term in row.text) for tag, term in terms.items()}

    async def counts_by_category(self, categories: Sequence[str], query: WorkflowQuery = _EVERYTHING) -> dict[str, int]:
        """For each of these categories, how many workflows match. Raises `InvalidInput`."""
        asked = [check_choice(category, WorkflowCategory, "categories") for category in categories]
        if not asked:
            return {}
        used = sa.func.count().label("used")
        select = sa.select(workflows.c.category, used).where(*self._wanted(query)).group_by(workflows.c.category)
        found = {row.category: row.used for row in await self._all(select)}
        return {str(category): found.get(category, 0) for category in asked}

    async def all_tags(self, query: WorkflowQuery = _EVERYTHING) -> list[str]:
        """Every tag of the matching workflows once, in the order of their characters. Raises `InvalidInput`."""
        select = sa.select(workflows.c.tags).where(workflows.c.tags.is_not(None), *self._wanted(query)).distinct()
        return sorted({tag for row in await self._all(select) for tag in split_tags(row[0])})

    def _wanted(self, query: WorkflowQuery) -> list[ColumnElement[bool]]:
        return [workflow_readable(everything=self._everything), *self._filters(query)]

    def _filters(self, query: WorkflowQuery) -> list[ColumnElement[bool]]:
        if query.order_by not in _ORDERS:
            raise InvalidInput(
                "Workflows cannot be ordered by this.", field="order_by", remedy=f"Use one of: {', '.join(_ORDERS)}."
            )
        wanted: list[ColumnElement[bool]] = []
        if query.categories:
            chosen = {check_choice(category, WorkflowCategory, "categories") for category in query.categories}
            wanted.append(workflows.c.category.in_(sorted(chosen)))
        if query.tags:
            terms = {folded(tag.strip(), "tags") for tag in query.tags}
            wanted.append(sa.or_(*(self._contains(workflows.c.tags, term) for term in sorted(terms))))
        if query.has_been_opened is not None:
            opened = workflows.c.opened_at.is_not(None)
            wanted.append(opened if query.has_been_opened else sa.not_(opened))
        if query.search is not None and query.search.strip():
            term = folded(query.search.strip(), "search")
            columns = (workflows.c.name, workflows.c.description, workflows.c.tags)
            wanted.append(sa.or_(*(self._contains(column, term) for column in columns)))
        if query.is_public is not None:
            wanted.append(workflows.c.is_public == _literal(query.is_public))
        if query.owner_or_default is not None:
            default = workflows.c.category == WorkflowCategory.DEFAULT
            wanted.append(sa.or_(workflows.c.user_id == query.owner_or_default, default))
        return wanted

    def _contains(self, column: ColumnElement[str], term: str) -> ColumnElement[bool]:
        return contains(self._connection.dialect, column, term)


def summary_values(row: Row[Any]) -> dict[str, Any]:
    """The fields of a summary, from a row that has `SUMMARY_COLUMNS`."""
    # An import may bring other categories, of older releases; whoever has such a workflow made it.
    default = row.category == WorkflowCategory.DEFAULT
    category = WorkflowCategory.DEFAULT if default else WorkflowCategory.USER
    return {name: getattr(row, name) for name in _FIELDS} | {"category": category}


def _summary(row: Row[Any]) -> WorkflowSummary:
    return WorkflowSummary(**summary_values(row))


def _chosen(query: WorkflowQuery, wanted: list[ColumnElement[bool]]) -> Select[Any]:
    """The rows of a list in order, by number, which an index answers alone unless the texts are searched."""
    return sa.select(workflows.c.sequence).where(*wanted).order_by(*_order(query))


def _summaries(query: WorkflowQuery, chosen: Select[Any]) -> Select[Any]:
    rows = chosen.subquery("chosen")
    columns: list[ColumnElement[Any]] = [*SUMMARY_COLUMNS, workflows.c.sequence]
    return sa.select(*columns).join(rows, rows.c.sequence == workflows.c.sequence).order_by(*_order(query))


def _order(query: WorkflowQuery) -> list[ColumnElement[Any]]:
    key: ColumnElement[Any] = workflows.c[query.order_by]
    key = key.desc() if query.descending else key.asc()
    if query.order_by == "opened_at":
        key = key.nulls_last() if query.descending else key.nulls_first()
    return [key, workflows.c.sequence.desc() if query.descending else workflows.c.sequence.asc()]


def _after(query: WorkflowQuery, value: Any, sequence: Any) -> ColumnElement[bool]:
    """Rows behind the one with this key. NULL, which only `opened_at` can be, is less than every time."""
    column, number = workflows.c[query.order_by], sa.literal(sequence)
    if value is None:
        if query.order_by != "opened_at":
            raise InvalidCursor
        if query.descending:
            return sa.and_(column.is_(None), workflows.c.sequence < number)
        return sa.or_(column.is_not(None), workflows.c.sequence > number)
    place, key = sa.tuple_(column, workflows.c.sequence), sa.tuple_(_literal(value), number)
    if not query.descending:
        return place > key
    return sa.or_(place < key, column.is_(None)) if query.order_by == "opened_at" else place < key


def _literal(value: str | bool) -> ColumnElement[Any]:
    if isinstance(value, bool):
        return sa.true() if value else sa.false()
    return sa.literal(value)
