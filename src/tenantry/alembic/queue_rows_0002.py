"""Carries the queue's rows from the first schema to that of batches, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.alembic.sessions_0002 import named_values, session_id_of, session_of

__all__ = ["carry_down", "carry_up", "set_aside"]

_ASIDE = "queue_items_aside"
_CHUNK = 500

_INDEXES_0001 = ("batch_id", "queue_id_item_id", "queue_id_status_item_id", "user_id_item_id")
_INDEXES_0002 = (
    *("user_id_queue_id_item_id", "queue_id_status_item_id", "batch_key_status"),
    *("next", "put_first", "finished", "held", "parent", "call", "root"),
)

_ITEM = (
    *("item_id", "user_id", "queue_id", "session_id", "status", "status_sequence", "priority", "device"),
    *("retried_from_item_id", "workflow_call_id", "workflow_call_depth", "parent_item_id", "parent_session_id"),
    *("root_item_id", "started_at", "completed_at", "created_at", "updated_at", "error_type", "error_message"),
    *("error_traceback", "field_values", "workflow", "session"),
)
"""The columns of items in both schemas."""

_OF_BATCH = ("batch_id", "origin", "destination")
"""What the items of the first schema say of their batches."""

_BATCH = ("batch_key", *_OF_BATCH, "user_id", "queue_id", "priority", "requested", "enqueued", "created_at")
_GROUP = ("batch_id", "user_id", "queue_id")


def set_aside(connection: sa.Connection, *, up: bool) -> None:
    """Give the items' table another name, and free the names that the new one takes."""
    for name in _INDEXES_0001 if up else _INDEXES_0002:
        connection.exec_driver_sql(f"DROP INDEX ix_queue_items_{name}")
    if not up:
        connection.exec_driver_sql("DROP INDEX uq_queue_items_session_id")
    connection.exec_driver_sql(f"ALTER TABLE queue_items RENAME TO {_ASIDE}")
    if connection.dialect.name == "postgresql":
        for constraint in ("pk_queue_items", "uq_queue_items_session_id"):
            connection.exec_driver_sql(f"ALTER TABLE {_ASIDE} DROP CONSTRAINT IF EXISTS {constraint}")
        connection.exec_driver_sql(f"ALTER SEQUENCE queue_items_item_id_seq RENAME TO {_ASIDE}_item_id_seq")
        _show_rows(connection, _ASIDE)


def carry_up(connection: sa.Connection) -> None:
    """Make batches of what the items say of theirs, and keep the items, their documents and their numbers."""
    batches = _table("batches", _BATCH)
    connection.execute(sa.insert(batches).from_select(_BATCH, _batch_rows(first=True)))
    for row in connection.execute(_batch_rows(first=False)).mappings().all():
        connection.execute(sa.insert(batches).values({**row, "batch_id": _free_batch_id(connection, row)}))
    groups, old = _groups().subquery("groups"), _table(_ASIDE, (*_ITEM, *_OF_BATCH))
    same = sa.and_(*(old.c[name] == groups.c[name] for name in _GROUP))
    rows = sa.select(*(old.c[name] for name in _ITEM), groups.c.batch_key).select_from(old.join(groups, same))
    columns = (*_ITEM, "batch_key")
    connection.execute(sa.insert(_table("queue_items", columns)).from_select(columns, rows))
    _count(connection)
    _note_turns(connection)
    _go_on_numbering(connection)
    connection.exec_driver_sql(f"DROP TABLE {_ASIDE}")


def carry_down(connection: sa.Connection) -> None:
    """Write every item with what its batch says, and with the documents that were built from the batch's template."""
    if connection.dialect.name == "postgresql":
        _show_rows(connection, "batches")
    add, last = sa.insert(_table("queue_items", (*_ITEM, *_OF_BATCH))), 0
    while rows := connection.execute(_whole_items(), {"last": last}).all():
        connection.execute(add, [_whole_item(row) for row in rows])
        last = rows[-1].item_id
    _go_on_numbering(connection)
    connection.exec_driver_sql(f"DROP TABLE {_ASIDE}")


def _table(name: str, columns: Sequence[str]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))


def _show_rows(connection: sa.Connection, table: str) -> None:
    # The table is on its way out; forced policies would hide its rows from its owner.
    connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")


def _groups() -> Select[Any]:
    """The batches; each takes the number of its first item, which no other batch can have."""
    old = _table(_ASIDE, (*_ITEM, *_OF_BATCH)).c
    key = [old[name] for name in _GROUP]
    columns = [
        sa.func.min(old.item_id).label("batch_key"),
        sa.func.count().label("items"),
        sa.func.min(old.created_at).label("created_at"),
    ]
    return sa.select(*key, *columns).group_by(*key)


def _batch_rows(*, first: bool) -> Select[Any]:
    """The rows of batches whose id no older batch has, or of the others, the oldest first."""
    groups, old = _groups().subquery("groups"), _table(_ASIDE, (*_ITEM, *_OF_BATCH))
    number = sa.func.row_number().over(partition_by=groups.c.batch_id, order_by=groups.c.batch_key)
    numbered = sa.select(groups, number.label("number")).subquery("numbered")
    column = {
        **{name: numbered.c[name] for name in ("batch_key", "batch_id", "user_id", "queue_id", "created_at")},
        **{name: old.c[name] for name in ("origin", "destination", "priority")},
        "requested": numbered.c["items"],
        "enqueued": numbered.c["items"],
    }
    wanted = numbered.c.number == 1 if first else numbered.c.number > 1
    return (
        sa.select(*(column[name].label(name) for name in _BATCH))
        .select_from(numbered.join(old, old.c.item_id == numbered.c.batch_key))
        .where(wanted)
        .order_by(numbered.c.batch_key)
    )


def _free_batch_id(connection: sa.Connection, row: Mapping[Any, Any]) -> str:
    """The batch's id with its owner, and if need be its queue and its number, behind it."""
    batches = _table("batches", _BATCH)
    batch_id = f"{row['batch_id']}#{row['user_id']}"
    for more in (row["queue_id"], row["batch_key"]):
        if not connection.scalar(sa.select(sa.func.count()).where(batches.c.batch_id == batch_id)):
            break
        batch_id = f"{batch_id}#{more}"
    return batch_id


def _count(connection: sa.Connection) -> None:
    counted = "INSERT INTO queue_counts (queue_id, user_id, destination, status, items) SELECT i.queue_id, i.user_id"
    connection.exec_driver_sql(f"{counted}, '', i.status, count(*) FROM queue_items i GROUP BY i.queue_id, i.user_id, i.status")
    connection.exec_driver_sql(
        f"{counted}, '=' || b.destination, i.status, count(*) FROM queue_items i JOIN batches b ON b.batch_key = i.batch_key"
        " WHERE b.destination IS NOT NULL GROUP BY i.queue_id, i.user_id, b.destination, i.status"
    )


def _note_turns(connection: sa.Connection) -> None:
    """When users were last served, in each queue and in all together, so that their turns go on from there."""
    for queue_id, more in (("queue_id", ", queue_id"), ("'*'", "")):
        connection.exec_driver_sql(
            f"INSERT INTO queue_turns (queue_id, user_id, started_at) SELECT {queue_id}, user_id, max(started_at)"
            f" FROM queue_items WHERE started_at IS NOT NULL GROUP BY user_id{more}"
        )


def _go_on_numbering(connection: sa.Connection) -> None:
    """A number is never given twice, also that of an item that was deleted before."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'queue_items'")
        connection.exec_driver_sql(f"UPDATE sqlite_sequence SET name = 'queue_items' WHERE name = '{_ASIDE}'")
        return
    connection.exec_driver_sql(f"SELECT setval('queue_items_item_id_seq', last_value, is_called) FROM {_ASIDE}_item_id_seq")
    connection.exec_driver_sql("SELECT setval('batches_batch_key_seq', max(batch_key)) FROM batches HAVING count(*) > 0")


def _whole_items() -> Select[Any]:
    items = _table(_ASIDE, (*_ITEM, "batch_key"))
    batches = _table("batches", ("batch_key", *_OF_BATCH, "graph", "fields", "session_base", "workflow"))
    workflow = sa.func.coalesce(items.c.workflow, sa.case((items.c.parent_item_id.is_(None), batches.c.workflow)))
    return (
        sa.select(
            *(items.c[name] for name in _ITEM if name != "workflow"),
            *(batches.c[name] for name in (*_OF_BATCH, "graph", "fields", "session_base")),
            workflow.label("workflow"),
        )
        .select_from(items.join(batches, batches.c.batch_key == items.c.batch_key))
        .where(items.c.item_id > sa.bindparam("last", type_=sa.BigInteger()))
        .order_by(items.c.item_id)
        .limit(_CHUNK)
    )


def _whole_item(row: Row[Any]) -> dict[str, Any]:
    item = {name: getattr(row, name) for name in (*_ITEM, *_OF_BATCH)}
    item["session_id"] = row.session_id or session_id_of(row.session_base, row.item_id)
    if row.graph is None:
        return item
    if row.session is None:
        item["session"] = session_of(item["session_id"], row.graph, row.fields, row.field_values)
    if row.field_values is not None:
        item["field_values"] = named_values(row.fields, row.field_values)
    return item
