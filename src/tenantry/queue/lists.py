"""Reads of the queue, in which everybody sees how busy it is and only their own content."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import batches, queue_items, users
from tenantry.errors import NotFound
from tenantry.queue.base import DEFAULT_QUEUE, QueueRepository
from tenantry.queue.conditions import has_ended, has_status
from tenantry.queue.items import QueueItem, QueueItemDetail
from tenantry.queue.sessions import Template, brought_values, fresh_session, session_id_of
from tenantry.queue.states import Status
from tenantry.repositories.base import among
from tenantry.repositories.checks import check_choice, check_text
from tenantry.repositories.pages import Slice, check_window, decode_cursor, encode_cursor
from tenantry.tenancy import InternalReason
from tenantry.tenancy.redaction import is_redacted, redacted

__all__ = ["ItemFilter", "ItemLists"]

_OWN = ("status", "status_sequence", "device", "created_at", "updated_at", "started_at", "completed_at")
_PRIVATE = (
    *("user_id", "session_id", "priority", "attempt", "retried_from_item_id", "workflow_call_id", "workflow_call_depth"),
    *("parent_item_id", "parent_session_id", "root_item_id", "error_type", "error_message", "error_traceback"),
    *("field_values",),
)
_OF_BATCH = ("batch_id", "origin", "destination", "board_id", "session_base", "fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items; all conditions must hold. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`.

    Whose an item is, its batch, origin, destination and error are its owner's to know: such a filter leaves a tenant's own
    items only.
    """

    status: str | None = None
    user_id: str | None = None
    batch_id: str | None = None
    origin: str | None = None
    destination: str | None = None
    created_after: str | None = None
    created_before: str | None = None
    error: str | None = None
    """A part of the error's message or type, in any case of ASCII letters."""

    @property
    def is_private(self) -> bool:
        return any(value is not None for value in (self.user_id, self.batch_id, self.origin, self.destination, self.error))


ALL_ITEMS = ItemFilter()


class ItemLists(QueueRepository):
    """The items of all users: one's own whole, others' redacted."""

    __slots__ = ()

    async def get(self, item_id: int) -> QueueItemDetail:
        """One item with its documents. Raises `NotFound`."""
        rows = await self._read(_details(self._everything).where(queue_items.c.item_id == item_id))
        if not rows:
            raise NotFound("queue item", field="item_id")
        return _detail(rows[0])

    async def many(self, item_ids: Sequence[int], queue_id: str = DEFAULT_QUEUE) -> list[QueueItem]:
        """Items by their ids, in the order and as often as they are named; those that are not in the queue are left out."""
        rows = await self._by_ids(_summaries(self._everything), item_ids, queue_id)
        found = {row.item_id: _item(row) for row in rows}
        return [found[item_id] for item_id in item_ids if item_id in found]

    async def details(self, item_ids: Sequence[int], queue_id: str = DEFAULT_QUEUE) -> list[QueueItemDetail]:
        """Like `many`, each with its documents."""
        rows = await self._by_ids(_details(self._everything), item_ids, queue_id)
        found = {row.item_id: _detail(row) for row in rows}
        return [found[item_id] for item_id in item_ids if item_id in found]

    async def slice(
        self,
        queue_id: str = DEFAULT_QUEUE,
        only: ItemFilter = ALL_ITEMS,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Slice[QueueItem]:
        """Items, the newest first. Raises `InvalidInput` and `InvalidCursor`."""
        check_window(limit)
        before: int | None = None
        if cursor is not None:
            (last,) = decode_cursor(cursor, "queue items", (queue_id, only), (int,))
            before = int(last or 0)
        rows = await self._read(self._newest(queue_id, only, before, limit + 1))
        following = encode_cursor("queue items", (queue_id, only), (rows[limit - 1].item_id,)) if len(rows) > limit else None
        return Slice([_item(row) for row in rows[:limit]], following)

    async def item_ids(
        self,
        queue_id: str = DEFAULT_QUEUE,
        *,
        user_id: str | None = None,
        descending: bool = True,
        limit: int | None = None,
    ) -> list[int]:
        """The ids of a queue's items, of everybody's or of one user's (for a tenant: their own), the newest first or last."""
        items = queue_items.c
        query = sa.select(items.item_id).where(items.queue_id == queue_id)
        if user_id is not None:
            query = query.where(items.user_id == user_id)
            if not self._everything:
                query = query.where(items.user_id == self._me)
        if user_id is not None or limit is not None:
            query = query.order_by(items.item_id.desc() if descending else items.item_id).limit(limit)
            return [row.item_id for row in await self._read(query)]
        return sorted((row.item_id for row in await self._read(query)), reverse=descending)

    async def ids_by_priority(self, queue_id: str = DEFAULT_QUEUE, destination: str | None = None) -> list[int]:
        """The ids of a queue's items, the highest priority first, then the oldest (contract, section 4.9: list_all).

        Those for a destination are a tenant's own only.
        """
        only = ItemFilter(destination=destination)
        items, source = queue_items.c, _WITH_BATCH if _needs_batch(only) else queue_items
        query = sa.select(items.item_id, items.priority).select_from(source)
        rows = await self._read(query.where(items.queue_id == queue_id, *self._conditions(only)))
        return [row.item_id for row in sorted(rows, key=lambda row: (-row.priority, row.item_id))]

    async def next_item(self, queue_id: str = DEFAULT_QUEUE) -> QueueItem | None:
        """The pending item of the highest priority, then the oldest, whoever's turn it is (contract, section 4.9: get_next)."""
        pending = [has_status(queue_items.c, Status.PENDING), queue_items.c.queue_id == queue_id]
        best = sa.select(queue_items.c.item_id).where(*pending)
        best = best.order_by(queue_items.c.priority.desc(), queue_items.c.item_id).limit(1)
        return await self._first(_summaries(self._everything).where(queue_items.c.item_id.in_(best)))

    async def current_item(self, queue_id: str = DEFAULT_QUEUE) -> QueueItem | None:
        """One of the items that are running."""
        running = [has_status(queue_items.c, Status.IN_PROGRESS), queue_items.c.queue_id == queue_id]
        query = _summaries(self._everything).where(*running).order_by(queue_items.c.item_id).limit(1)
        return await self._first(query)

    def _newest(self, queue_id: str, only: ItemFilter, before: int | None, limit: int) -> Select[Any]:
        """The page's items: found through whichever index leaves least to walk over."""
        items = queue_items.c
        conditions = [items.queue_id == queue_id, *self._conditions(only)]
        if before is not None:
            conditions.append(items.item_id < before)

        def found(*more: ColumnElement[bool]) -> Select[Any]:
            ids = sa.select(items.item_id).select_from(_WITH_BATCH if _needs_batch(only) else queue_items)
            return ids.where(*conditions, *more).order_by(items.item_id.desc()).limit(limit)

        if only.status is not None:
            wanted = found(has_status(items, check_choice(only.status, Status, "status")))
        elif only.is_private and (only.user_id is not None or only.batch_id is not None or not self._everything):
            wanted = found()
        else:
            # In each status the newest are the last of an index; in all together they are not.
            parts = [found(has_status(items, status)).subquery() for status in Status]
            wanted = sa.select(sa.union_all(*(sa.select(part.c.item_id) for part in parts)).subquery().c.item_id)
        chosen = wanted.subquery("chosen")
        return (
            _summaries(self._everything)
            .join(chosen, chosen.c.item_id == items.item_id)
            .order_by(items.item_id.desc())
            .limit(limit)
        )

    def _conditions(self, only: ItemFilter) -> list[ColumnElement[bool]]:
        items, conditions = queue_items.c, []
        if only.is_private and not self._everything:
            conditions.append(items.user_id == self._me)
        if only.user_id is not None:
            conditions.append(items.user_id == only.user_id)
        if only.batch_id is not None:
            batch = sa.select(batches.c.batch_key).where(batches.c.batch_id == only.batch_id)
            conditions.append(items.batch_key == batch.scalar_subquery())
        for name in ("origin", "destination"):
            if (value := getattr(only, name)) is not None:
                conditions.append(batches.c[name] == value)
        if only.created_after is not None:
            conditions.append(items.created_at > only.created_after)
        if only.created_before is not None:
            conditions.append(items.created_at < only.created_before)
        if only.error is not None:
            part = check_text(only.error, "error", most=200).lower()
            text = sa.func.coalesce(items.error_type, "") + " " + sa.func.coalesce(items.error_message, "")
            conditions.append(sa.func.lower(text).contains(part, autoescape=True))
            conditions.append(has_ended())
        return conditions

    async def _by_ids(self, items: Select[Any], item_ids: Sequence[int], queue_id: str) -> list[Row[Any]]:
        named = among(self._dialect, queue_items.c.item_id, list(item_ids))
        return await self._read(items.where(named, queue_items.c.queue_id == queue_id))

    async def _first(self, query: Select[Any]) -> QueueItem | None:
        rows = await self._read(query)
        return _item(rows[0]) if rows else None

    async def _read(self, query: Select[Any]) -> list[Row[Any]]:
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            return list(await self._all(query))


_WITH_BATCH = queue_items.join(batches, batches.c.batch_key == queue_items.c.batch_key)


def _needs_batch(only: ItemFilter) -> bool:
    return only.origin is not None or only.destination is not None


@cache
def _summaries(everything: bool) -> Select[Any]:
    items = queue_items.c
    columns: list[ColumnElement[Any]] = [items.item_id, items.queue_id, is_redacted(everything=everything)]
    columns += [redacted(items[name], everything=everything) for name in (*_OWN, *_PRIVATE)]
    columns += [redacted(batches.c[name], everything=everything) for name in _OF_BATCH]
    columns += [redacted(users.c[name], everything=everything) for name in ("display_name", "email")]
    joined = _WITH_BATCH.outerjoin(users, users.c.user_id == items.user_id)
    return sa.select(*columns).select_from(joined)


@cache
def _details(everything: bool) -> Select[Any]:
    items = queue_items.c
    workflow = sa.func.coalesce(items.workflow, sa.case((items.parent_item_id.is_(None), batches.c.workflow)))
    hidden = [items.session, batches.c.graph]
    return _summaries(everything).add_columns(
        *(redacted(column, everything=everything) for column in hidden),
        redacted(workflow, everything=everything, name="whole_workflow"),
    )


def _item(row: Row[Any]) -> QueueItem:
    session_id = row.session_id
    if session_id is None and not row.is_redacted:
        session_id = session_id_of(row.session_base, row.item_id)
    return QueueItem(
        item_id=row.item_id,
        queue_id=row.queue_id,
        is_redacted=row.is_redacted,
        **{name: getattr(row, name) for name in _OWN if name != "status"},
        status=Status(row.status),
        **{name: getattr(row, name) for name in _PRIVATE if name not in ("session_id", "field_values")},
        session_id=session_id,
        field_values=None if row.is_redacted else _field_values(row),
        user_display_name=row.display_name,
        user_email=row.email,
        **{name: getattr(row, name) for name in _OF_BATCH if name not in ("session_base", "fields")},
    )


def _field_values(row: Row[Any]) -> list[dict[str, Any]] | None:
    if row.field_values is None:
        return None
    if row.fields is None:
        return brought_values(row.field_values)
    return Template("{}", row.fields).field_values(json.loads(row.field_values))


def _detail(row: Row[Any]) -> QueueItemDetail:
    item, session = _item(row), row.session
    if session is None and row.graph is not None and item.session_id is not None:
        filled = Template(row.graph, row.fields).filled(json.loads(row.field_values or "[]"))
        session = json.dumps(fresh_session(item.session_id, filled), ensure_ascii=False)
    return QueueItemDetail(item, row.whole_workflow, session)
