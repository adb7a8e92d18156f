"""The queue's rows: InvokeAI repeats in each what we keep once a batch, and keeps a whole session where we build it."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from tenantry.database.tables import batches, queue_items
from tenantry.invokeai import mapping as maps
from tenantry.invokeai.bringing import Bringing
from tenantry.invokeai.mapping import Row
from tenantry.invokeai.residue import Residue, differences, find_residue, put_back, row_key
from tenantry.invokeai.values import same
from tenantry.invokeai.writer import conflict
from tenantry.queue.sessions import Template, fresh_session, session_id_of
from tenantry.repositories.base import among

__all__ = ["BATCH_COLUMNS", "BatchesOfItems", "whole_item"]

BATCH_COLUMNS: tuple[sa.ColumnElement[Any], ...] = (
    *(batches.c[name] for name in ("batch_id", "origin", "destination", "session_base", "graph", "fields")),
    batches.c.workflow.label("batch_workflow"),
)
"""What `whole_item` needs of an item's batch."""

_BUILT = ("session_id", "session", "field_values", "workflow")
"""What `whole_item` builds where the batch says it."""

_TEMPLATES = 8
"""Parsed graphs that are kept: the items of a batch mostly follow each other."""


class _Key(NamedTuple):
    """What makes a batch: several users, and several queues, may have used the same id."""

    batch_id: str
    user_id: str
    queue_id: str


class BatchesOfItems:
    """Finds the batch of each imported item, or makes it of the batch's first item."""

    def __init__(self, bringing: Bringing) -> None:
        self._bringing = bringing
        self._connection = bringing.connection
        self._known: dict[_Key, Row] = {}
        self._made: set[int] = set()

    async def resolve(self, originals: list[Row], rows: list[Row]) -> list[Row | None]:
        """Give each item its batch; what it says otherwise than its batch is kept aside."""
        await self._bringing.ensure_users({row["user_id"] for row in rows})
        there = await self._there([row["item_id"] for row in rows])
        keys = [row_key(original, maps.SESSION_QUEUE.key) for original in originals]
        kept = await find_residue(self._connection, maps.SESSION_QUEUE.name, keys)
        residue: list[Residue] = []
        resolved: list[Row | None] = []
        for key, original, row in zip(keys, originals, rows, strict=True):
            held = there.get(row["item_id"])
            if held is None:
                batch = await self._batch_of(original, row)
                residue += differences(maps.OF_BATCH, original, batch)
                resolved.append({**row, "batch_key": batch["batch_key"]})
            elif _agrees(original, put_back(kept.get(key, []), maps.OF_BATCH.give(held))):
                resolved.append({**row, **_as_held(row, held), "batch_key": held["batch_key"]})
            else:
                raise conflict(queue_items.name, (row["item_id"],))
        await self._bringing.mend(self._bringing.report(maps.SESSION_QUEUE.name), residue)
        return resolved

    async def finish(self) -> None:
        """Note in each new batch how many items it has, and when the first was queued."""
        mine = queue_items.c.batch_key == batches.c.batch_key
        number = sa.select(sa.func.count()).where(mine).scalar_subquery()
        first = sa.select(sa.func.min(queue_items.c.created_at)).where(mine).scalar_subquery()
        new = among(self._connection.dialect, batches.c.batch_key, sorted(self._made))
        change = sa.update(batches).where(new).values(requested=number, enqueued=number, created_at=first)
        await self._connection.execute(change)

    async def _there(self, item_ids: list[int]) -> dict[int, Row]:
        """Those of the items that are there already, with what `whole_item` needs."""
        own = (queue_items.c[name] for name in ("item_id", "batch_key", "parent_item_id", *_BUILT))
        query = sa.select(*own, *BATCH_COLUMNS).where(batches.c.batch_key == queue_items.c.batch_key)
        wanted = among(self._connection.dialect, queue_items.c.item_id, item_ids)
        found = await self._connection.fetch_all(query.where(wanted))
        return {row.item_id: dict(row._mapping) for row in found}

    async def _batch_of(self, original: Row, row: Row) -> Row:
        said = maps.OF_BATCH.bring(original)
        key = _Key(said["batch_id"], row["user_id"], row["queue_id"])
        if key not in self._known:
            self._known[key] = await self._find_or_make(key, said, row)
        return self._known[key]

    async def _find_or_make(self, key: _Key, said: Row, row: Row) -> Row:
        """The batch under its own id or, where that is another user's or queue's, under one that says whose it is."""
        name = key.batch_id
        for more in (key.user_id, key.queue_id, row["item_id"]):
            held = await self._connection.fetch_one(sa.select(batches).where(batches.c.batch_id == name))
            if held is None:
                break
            if (held.user_id, held.queue_id, held.graph) == (*key[1:], None) and held.batch_key not in self._made:
                return dict(held._mapping)
            name = f"{name}#{more}"
        shared = {column: row[column] for column in ("user_id", "queue_id", "priority", "created_at")}
        batch = {**said, "batch_id": name, **shared}
        add = sa.insert(batches).values(batch).returning(batches.c.batch_key)
        batch_key: int = await self._connection.fetch_value(add)
        self._made.add(batch_key)
        self._bringing.added[batches.name] += 1
        return {**batch, "batch_key": batch_key}


def _agrees(original: Row, given: Row) -> bool:
    return all(same(value, original[column]) for column, value in given.items())


def _as_held(row: Row, held: Row) -> Row:
    """What stands in the database for those values of an item that an export would build as they are in the file."""
    whole = whole_item(held)
    return {name: held[name] for name in _BUILT if row[name] == whole[name]}


def whole_item(row: Row) -> Row:
    """An item with the documents that stand in its batch or are built from it, in InvokeAI's form."""
    if row["graph"] is None:
        return row
    whole = dict(row)
    if row["session_id"] is None:
        whole["session_id"] = session_id_of(row["session_base"], row["item_id"])
    if row["workflow"] is None and row["parent_item_id"] is None:
        whole["workflow"] = row["batch_workflow"]
    template, values = _template(row["graph"], row["fields"]), row["field_values"]
    if row["session"] is None:
        filled = template.filled(json.loads(values or "[]"))
        whole["session"] = json.dumps(fresh_session(whole["session_id"], filled), ensure_ascii=False)
    if values is not None:
        whole["field_values"] = json.dumps(template.field_values(json.loads(values)), ensure_ascii=False)
    return whole


@lru_cache(_TEMPLATES)
def _template(graph: str, fields: str) -> Template:
    return Template(graph, fields)
