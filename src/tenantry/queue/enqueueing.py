"""Enqueueing: a batch is checked, stored once, and its items are written as the values that they differ in."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tenantry.database import Dialect, Query
from tenantry.database.listed import Listed
from tenantry.database.tables import batches, queue_counts, queue_items
from tenantry.errors import Conflict, InvalidBatch, NotAllowed
from tenantry.queue.admission import Admission
from tenantry.queue.base import DEFAULT_QUEUE, check_queue_id
from tenantry.queue.batches import Batch, as_json, as_texts, expand
from tenantry.queue.changes import BatchEnqueued
from tenantry.queue.conditions import has_status, waits
from tenantry.queue.sessions import session_base
from tenantry.queue.states import Status
from tenantry.repositories.boards import Boards
from tenantry.repositories.checks import check_name, check_text
from tenantry.repositories.queue_counts import Counted, add_to_counts
from tenantry.tenancy import InternalReason

__all__ = ["Enqueued", "Enqueueing"]

_CHUNK = 2_000
"""Items of one statement; a batch is never in memory whole."""

_MAX_KEY = 255
_ADD_BATCH = sa.insert(batches).returning(batches.c.batch_key)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of a batch: `enqueued` of `requested` items wait now, in the order of `item_ids`."""

    queue_id: str
    batch_id: str
    user_id: str
    enqueued: int
    requested: int
    priority: int
    item_ids: tuple[int, ...]


class Enqueueing(Admission):
    """Puts batches into a queue, in the name of whoever acts."""

    __slots__ = ()

    async def enqueue(
        self,
        batch: Batch,
        *,
        queue_id: str = DEFAULT_QUEUE,
        prepend: bool = False,
        idempotency_key: str | None = None,
        partly: bool = False,
    ) -> Enqueued:
        """Queue all items of a batch, or none; `partly`: as many as the queue has room for, as InvokeAI does.

        `prepend` gives it a higher priority than all that waits. The same `idempotency_key` with the same request answers what
        became of the first one. Raises `InvalidBatch`, `QueueFull`, `LimitReached`, `NotFound` or `NotAllowed` for a board that
        one may not write, and `Conflict` for a batch id or a key that was used before.
        """
        check_queue_id(queue_id)
        documents = self._documents(batch)
        values = self._values(batch)
        digest = None if idempotency_key is None else _digest(batch, documents, values, queue_id, prepend)
        if batch.board_id is not None:
            await self._check_board(batch.board_id)
        async with self._ground.elevated(InternalReason.KEEP_QUEUE):
            if idempotency_key is not None and digest is not None:
                check_text(idempotency_key, "idempotency_key", most=_MAX_KEY)
                await self._lock_queue(queue_id)
                if earlier := await self._earlier(idempotency_key, digest):
                    return earlier
            admitted = await self._admit(queue_id, self._me, batch.size, partly=partly)
            batch_id = await self._free_batch_id(batch.batch_id)
            priority = await self._highest_priority(queue_id) + 1 if prepend else 0
            waiting = Counted(queue_id, self._me, batch.destination, Status.PENDING)
            await add_to_counts(self._connection, {waiting: admitted})
        stored = {
            "batch_id": batch_id,
            "user_id": self._me,
            "queue_id": queue_id,
            "origin": batch.origin,
            "destination": batch.destination,
            "board_id": batch.board_id,
            "session_base": session_base(self._ground.ids()),
            "priority": priority,
            "requested": batch.size,
            "enqueued": admitted,
            "idempotency_key": idempotency_key,
            "request_digest": digest,
            "created_at": self._now(),
            **documents,
        }
        batch_key: int = await self._connection.fetch_value(_ADD_BATCH, stored)
        texts = ((f"[{','.join(of_item)}]",) for of_item in expand(values, batch.runs))
        item_ids = await self._add_items(islice(texts, admitted), batch_key, queue_id, priority)
        self._record(
            BatchEnqueued(self._me, queue_id, batch_id, admitted, batch.size, priority, batch.origin),
        )
        return Enqueued(queue_id, batch_id, self._me, admitted, batch.size, priority, tuple(item_ids))

    async def _add_items(self, texts: Iterator[tuple[str]], batch_key: int, queue_id: str, priority: int) -> list[int]:
        statement, listed = _add_items(self._dialect)
        shared = {
            "of_user": self._me,
            "of_queue": queue_id,
            "of_batch": batch_key,
            "of_priority": priority,
            "at": self._now(),
        }
        item_ids: list[int] = []
        for chunk in _chunks(texts):
            rows = await self._connection.fetch_all(statement, {**shared, **listed.pack(chunk)})
            item_ids += [row[0] for row in rows]
        # Rows come back as the database pleases; ids grow in the order of the batch.
        return sorted(item_ids)

    def _documents(self, batch: Batch) -> dict[str, str | None]:
        """The batch's documents as text. Raises `InvalidBatch` for what is too large."""
        if batch.size > self._rules.max_batch_items:
            raise InvalidBatch(
                f"The batch makes {batch.size} items; {self._rules.max_batch_items} may be queued at once.",
                field="data",
                remedy="Send several batches.",
            )
        if batch.size == 0:
            raise InvalidBatch("The batch makes no items.", field="data", remedy="Give each field a value, or leave it out.")
        documents = {
            "graph": self._document(batch.graph, "graph"),
            "fields": self._document(batch.fields, "data"),
            "workflow": None if batch.workflow is None else self._document(batch.workflow, "workflow"),
        }
        return documents

    def _values(self, batch: Batch) -> list[list[list[str]]]:
        """The values as text, each written once, in however many items it stands. Raises `InvalidBatch` as above."""
        groups: list[list[list[str]]] = []
        for place, group in enumerate(batch.data):
            names = [f"data[{place}][{position}].items" for position in range(len(group))]
            groups.append([as_texts(datum.items, name) for datum, name in zip(group, names, strict=True)])
            for texts, name in zip(groups[-1], names, strict=True):
                self._checked(",".join(texts), name)
        return groups

    def _document(self, document: Any, name: str) -> str:
        return self._checked(as_json(document, name), name)

    def _checked(self, text: str, name: str) -> str:
        check_text(text, name, most=self._rules.max_document_bytes)
        if len(text) > self._rules.max_document_bytes // 4 and len(text.encode()) > self._rules.max_document_bytes:
            raise InvalidBatch(
                f"This is larger than {self._rules.max_document_bytes} bytes.", field=name, remedy="Send a smaller one."
            )
        if "u0000" in text and _NUL.search(text):
            raise InvalidBatch("Text must not contain NUL bytes.", field=name, remedy="Remove the NUL bytes.")
        return text

    async def _check_board(self, board_id: str) -> None:
        """Raise unless the principal may put results on the board."""
        boards = Boards(self._ground)
        if not await boards.may_write(board_id):
            await boards.get(board_id)
            raise NotAllowed("You may see this board but not put anything on it.")

    async def _earlier(self, key: str, digest: str) -> Enqueued | None:
        """What became of the first request with this key. Raises `Conflict` if it was another request."""
        query = sa.select(batches).where(batches.c.user_id == self._me, batches.c.idempotency_key == key)
        row = await self._connection.fetch_one(query)
        if row is None:
            return None
        if row.request_digest != digest:
            raise Conflict(
                "This key came with another request before.", field="idempotency_key", remedy="Use a new key for a new request."
            )
        items = queue_items.c
        made = sa.select(items.item_id).where(
            items.batch_key == row.batch_key, items.retried_from_item_id.is_(None), items.parent_item_id.is_(None)
        )
        item_ids = sorted(each.item_id for each in await self._connection.fetch_all(made))
        return Enqueued(row.queue_id, row.batch_id, row.user_id, row.enqueued, row.requested, row.priority, tuple(item_ids))

    async def _free_batch_id(self, wanted: str | None) -> str:
        if wanted is None:
            return self._ground.ids()
        if await self._connection.fetch_value(sa.select(sa.true()).where(batches.c.batch_id == wanted)):
            raise Conflict("This batch id was used before.", field="batch_id", remedy="Use a new one, or leave it out.")
        return check_name(wanted, "batch_id")

    async def _highest_priority(self, queue_id: str) -> int:
        """The highest priority of what waits; 0 where nothing does (contract, section 4.9)."""
        items, counts = queue_items.c, queue_counts.c
        best = (
            sa.select(items.priority)
            .where(
                items.queue_id == counts.queue_id,
                items.user_id == counts.user_id,
                has_status(items, Status.PENDING),
            )
            .order_by(items.priority.desc())
            .limit(1)
            .correlate(queue_counts)
            .scalar_subquery()
        )
        query = sa.select(sa.func.max(best)).where(
            counts.queue_id == queue_id,
            waits(),
        )
        return int(await self._connection.fetch_value(query) or 0)


def _digest(batch: Batch, documents: dict[str, str | None], values: list[list[list[str]]], queue_id: str, prepend: bool) -> str:
    """What tells this request from another."""
    told = [queue_id, prepend, batch.runs, batch.origin, batch.destination, batch.board_id, batch.batch_id, documents]
    digest = hashlib.blake2b(json.dumps(told).encode(), digest_size=16)
    for group in values:
        for texts in group:
            digest.update(f"[{','.join(texts)}]".encode())
    return digest.hexdigest()


def _chunks(rows: Iterator[tuple[str]]) -> Iterator[Sequence[tuple[str]]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


@cache
def _add_items(dialect: Dialect) -> tuple[Query, Listed]:
    listed = Listed(dialect, "added", field_values=sa.Text())
    at = sa.bindparam("at", type_=sa.Text())
    values: dict[str, sa.ColumnElement[Any]] = {
        "user_id": sa.bindparam("of_user", type_=sa.Text()),
        "queue_id": sa.bindparam("of_queue", type_=sa.Text()),
        "batch_key": sa.bindparam("of_batch", type_=sa.BigInteger()),
        "priority": sa.bindparam("of_priority", type_=sa.Integer()),
        "created_at": at,
        "updated_at": at,
        "field_values": listed.rows.c.field_values,
    }
    rows = sa.select(*values.values()).order_by(listed.rows.c.order)
    return sa.insert(queue_items).from_select(list(values), rows).returning(queue_items.c.item_id), listed
