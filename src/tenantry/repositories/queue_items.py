"""Reads of the generation queue, in which everybody sees how busy it is and only their own content."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import queue_items
from tenantry.errors import NotFound
from tenantry.repositories.base import Repository
from tenantry.repositories.pages import Slice, check_window, decode_cursor, encode_cursor
from tenantry.tenancy import InternalReason
from tenantry.tenancy.redaction import is_redacted, redacted
from tenantry.tenancy.visibility import ME

__all__ = ["QueueItem", "QueueItemDetail", "QueueItems"]


@dataclass(frozen=True, slots=True)
class QueueItem:
    """An item of the queue. All that could tell whose it is or what it makes is None where `is_redacted`.

    Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`.
    """

    item_id: int
    queue_id: str
    status: str
    status_sequence: int
    device: str | None
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None
    is_redacted: bool
    user_id: str | None
    batch_id: str | None
    session_id: str | None
    priority: int | None
    origin: str | None
    destination: str | None
    retried_from_item_id: int | None
    workflow_call_id: str | None
    workflow_call_depth: int | None
    parent_item_id: int | None
    parent_session_id: str | None
    root_item_id: int | None
    error_type: str | None
    error_message: str | None
    error_traceback: str | None


@dataclass(frozen=True, slots=True)
class QueueItemDetail(QueueItem):
    """An item with its documents, as the JSON text that was stored."""

    field_values: str | None
    workflow: str | None
    session: str | None


class QueueItems(Repository):
    """The items of all users: one's own whole, others' redacted."""

    __slots__ = ()

    async def get(self, item_id: int) -> QueueItemDetail:
        """One item with its documents. Raises `NotFound`."""
        query = _columns(QueueItemDetail, self._everything).where(queue_items.c.item_id == item_id)
        rows = await self._read(query)
        if not rows:
            raise NotFound("queue item", field="item_id")
        return QueueItemDetail(*tuple(rows[0]))

    async def slice(
        self,
        queue_id: str = "default",
        *,
        status: str | None = None,
        destination: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Slice[QueueItem]:
        """Items, the newest first. A destination is its owner's to know, so that filter leaves one's own items only."""
        check_window(limit)
        wanted = [queue_items.c.queue_id == queue_id]
        if status is not None:
            wanted.append(queue_items.c.status == status)
        if destination is not None:
            wanted += [queue_items.c.destination == destination, self._mine()]
        filters = (queue_id, status, destination)
        if cursor is not None:
            (last,) = decode_cursor(cursor, "queue items", filters, (int,))
            wanted.append(queue_items.c.item_id < sa.literal(last))
        newest = _columns(QueueItem, self._everything).where(*wanted).order_by(queue_items.c.item_id.desc())
        rows = await self._read(newest.limit(limit + 1))
        following = encode_cursor("queue items", filters, (rows[limit - 1].item_id,)) if len(rows) > limit else None
        return Slice([QueueItem(*tuple(row)) for row in rows[:limit]], following)

    async def counts(self, queue_id: str = "default") -> dict[str, int]:
        """How many items of everybody's have each status; a status without items is left out."""
        counted = sa.select(queue_items.c.status, sa.func.count().label("items")).where(queue_items.c.queue_id == queue_id)
        return {row.status: row.items for row in await self._read(counted.group_by(queue_items.c.status))}

    def _mine(self) -> ColumnElement[bool]:
        return sa.true() if self._everything else queue_items.c.user_id == ME

    async def _read(self, query: Select[Any]) -> list[Row[Any]]:
        async with self._ground.elevated(InternalReason.READ_QUEUE):
            return list(await self._all(query))


@cache
def _columns(value: type, everything: bool) -> Select[Any]:
    flag = is_redacted(everything=everything)
    columns: list[ColumnElement[Any]] = [
        flag if field.name == "is_redacted" else redacted(queue_items.c[field.name], everything=everything)
        for field in fields(value)
    ]
    return sa.select(*columns)
