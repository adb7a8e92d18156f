"""The generation queue: batches, their items, and what decides whose item comes next."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, flag, metadata, owner, updated_at

__all__ = [
    "ALL_QUEUES",
    "batches",
    "queue_counts",
    "queue_defaults",
    "queue_items",
    "queue_limits",
    "queue_turns",
    "queue_usage",
    "queues",
    "workers",
]

ALL_QUEUES = "*"
"""Stands for every queue: in claims, for the scheduling lock, and where all are paused."""


def _partial(name: str, condition: str, *columns: str | sa.ColumnElement[object], unique: bool = False) -> sa.Index:
    """An index of the rows that meet a condition."""
    where = sa.text(condition)
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_key", RowId, sa.Identity(), primary_key=True),
    sa.Column("batch_id", Bytewise, nullable=False),
    owner(),
    sa.Column("queue_id", Bytewise, nullable=False),
    sa.Column("origin", Bytewise),
    sa.Column("destination", Bytewise),
    # Where the results are to go; whoever saves them asks again whether that may be.
    sa.Column("board_id", Bytewise),
    # The first half of the session ids of the batch's items; an item's number is the other.
    sa.Column("session_base", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("requested", sa.Integer, nullable=False, server_default="0"),
    sa.Column("enqueued", sa.Integer, nullable=False, server_default="0"),
    sa.Column("idempotency_key", Bytewise),
    # Tells whether a repeated key comes with the same request.
    sa.Column("request_digest", Bytewise),
    created_at(),
    # The template that every item's session is built from; NULL where the items brought their sessions with them.
    sa.Column("graph", Bytewise),
    # The places in the graph that items put values into: [[node_path, field_name]].
    sa.Column("fields", Bytewise),
    sa.Column("workflow", Bytewise),
    sa.UniqueConstraint("batch_id"),
    # Lets items name the batch together with its owner.
    sa.UniqueConstraint("user_id", "batch_key"),
    _partial("ix_batches_destination", "destination IS NOT NULL", "destination", "queue_id"),
    _partial("uq_batches_idempotency_key", "idempotency_key IS NOT NULL", "user_id", "idempotency_key", unique=True),
    sqlite_autoincrement=True,
)


PENDING = "status = 'pending'"
FINISHED = "status IN ('completed', 'failed', 'canceled')"

queue_items = sa.Table(
    "queue_items",
    metadata,
    sa.Column("item_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("user_id", Bytewise, nullable=False),
    sa.Column("queue_id", Bytewise, nullable=False),
    sa.Column("batch_key", RowId, nullable=False),
    # NULL: made of the batch's base and the item's number.
    sa.Column("session_id", Bytewise),
    sa.Column("status", Bytewise, nullable=False, server_default="pending"),
    sa.Column("status_sequence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    # Set where an administrator put the item first; the smallest number goes first.
    sa.Column("put_first", sa.BigInteger),
    # Pending items with a time here wait for it, after a lease was lost.
    sa.Column("not_before", Bytewise),
    sa.Column("worker_id", Bytewise),
    # How often the item was claimed; with the worker it names one claim.
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    # How often its worker was lost.
    sa.Column("losses", sa.Integer, nullable=False, server_default="0"),
    # The place of its claim among all claims.
    sa.Column("claim_number", sa.BigInteger),
    sa.Column("device", Bytewise),
    sa.Column("retried_from_item_id", sa.BigInteger),
    sa.Column("workflow_call_id", Bytewise),
    sa.Column("workflow_call_depth", sa.Integer),
    sa.Column("parent_item_id", sa.BigInteger),
    sa.Column("parent_session_id", Bytewise),
    sa.Column("root_item_id", sa.BigInteger),
    sa.Column("started_at", Bytewise),
    sa.Column("completed_at", Bytewise),
    created_at(),
    updated_at(),
    sa.Column("error_type", Bytewise),
    sa.Column("error_message", Bytewise),
    sa.Column("error_traceback", Bytewise),
    # The values for the batch's fields: [value]. Where the batch has no graph: [{"node_path", "field_name", "value"}].
    sa.Column("field_values", Bytewise),
    # An item's own documents; NULL: the batch's workflow, and a session that is built from the batch's graph.
    sa.Column("workflow", Bytewise),
    sa.Column("session", Bytewise),
    sa.ForeignKeyConstraint(
        ["user_id", "batch_key"], ["batches.user_id", "batches.batch_key"], ondelete="CASCADE", onupdate="CASCADE"
    ),
    sa.CheckConstraint("status IN ('pending', 'in_progress', 'waiting', 'completed', 'failed', 'canceled')", name="status"),
    _partial("uq_queue_items_session_id", "session_id IS NOT NULL", "session_id", unique=True),
    sa.Index(None, "user_id", "queue_id", "item_id"),
    sa.Index(None, "queue_id", "status", "item_id"),
    sa.Index(None, "batch_key", "status"),
    # A user's next item is the first of this index.
    _partial("ix_queue_items_next", PENDING, "queue_id", "user_id", sa.desc("priority"), "item_id"),
    _partial("ix_queue_items_put_first", "put_first IS NOT NULL", "put_first"),
    _partial("ix_queue_items_finished", FINISHED, "queue_id", "completed_at", "item_id"),
    _partial("ix_queue_items_held", "status = 'in_progress'", "worker_id"),
    _partial("ix_queue_items_parent", "parent_item_id IS NOT NULL", "parent_item_id"),
    _partial("ix_queue_items_call", "workflow_call_id IS NOT NULL", "workflow_call_id"),
    _partial("ix_queue_items_root", "root_item_id IS NOT NULL", "root_item_id"),
    sqlite_autoincrement=True,
)

queues = sa.Table(
    "queues",
    metadata,
    # `*` stands for all queues together; its row is the scheduling lock and counts the claims.
    sa.Column("queue_id", Bytewise, primary_key=True),
    flag("paused"),
    sa.Column("claims", sa.BigInteger, nullable=False, server_default="0"),
    # The virtual time at which the last claim's turn began.
    sa.Column("virtual_time", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("max_pending", sa.Integer),
    # How many finished items, and of how many days, are kept; NULL: all.
    sa.Column("keep_items", sa.Integer),
    sa.Column("keep_days", sa.Float),
    updated_at(),
)


def _user_key() -> sa.Column[str]:
    key = sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT")
    return sa.Column("user_id", Bytewise, key, primary_key=True)


queue_turns = sa.Table(
    "queue_turns",
    metadata,
    sa.Column("queue_id", Bytewise, primary_key=True),
    _user_key(),
    # The virtual time at which the user's last turn ended, and its claim's number.
    sa.Column("virtual_finish", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("served", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("started_at", Bytewise, nullable=False, server_default=""),
)

WAITS = "status = 'pending' AND destination = '' AND items > 0"

queue_counts = sa.Table(
    "queue_counts",
    metadata,
    sa.Column("queue_id", Bytewise, primary_key=True),
    _user_key(),
    # Empty: whatever the destination; else `=` and the destination's name.
    sa.Column("destination", Bytewise, primary_key=True),
    sa.Column("status", Bytewise, primary_key=True),
    sa.Column("items", sa.BigInteger, nullable=False),
    # Whether the user waits in the queue. For the index: one that names `items` would be written anew at each change of it.
    sa.Column("waits", sa.Boolean, sa.Computed(WAITS, persisted=True), nullable=False),
    _partial("ix_queue_counts_waiting", "waits IS TRUE", "queue_id", "user_id"),
    _partial("ix_queue_counts_of_user", "destination = ''", "user_id", "status"),
    sa.Index("ix_queue_counts_destination", "queue_id", "destination", "status"),
    # Room for the next version of each row beside it.
    postgresql_with={"fillfactor": 50},
)


def _limits() -> list[sa.Column[float] | sa.Column[int]]:
    return [
        # Turns in relation to others'; 1 where nothing else is set.
        sa.Column("weight", sa.Float),
        *(sa.Column(name, sa.Integer) for name in ("max_running", "max_pending", "per_minute", "per_hour", "per_day")),
    ]


queue_limits = sa.Table("queue_limits", metadata, _user_key(), *_limits(), flag("paused"), updated_at())

queue_defaults = sa.Table(
    "queue_defaults",
    metadata,
    sa.Column("row_number", sa.Integer, primary_key=True, autoincrement=False),
    *_limits(),
    updated_at(),
    sa.CheckConstraint("row_number = 1", name="single"),
)

queue_usage = sa.Table(
    "queue_usage",
    metadata,
    # How many items a user enqueued when, for a day; deleting items does not give them back.
    sa.Column("usage_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT"), nullable=False),
    created_at(),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Index(None, "user_id", "created_at"),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("worker_id", Bytewise, primary_key=True),
    sa.Column("name", Bytewise, nullable=False),
    sa.Column("host", Bytewise, nullable=False),
    sa.Column("process", sa.Integer, nullable=False),
    sa.Column("queue_id", Bytewise),
    sa.Column("devices", Bytewise, nullable=False),
    sa.Column("concurrency", sa.Integer, nullable=False),
    flag("draining"),
    sa.Column("started_at", Bytewise, nullable=False),
    sa.Column("beat_at", Bytewise, nullable=False),
    # Until then the worker holds what it claimed.
    sa.Column("expires_at", Bytewise, nullable=False),
    sa.Index(None, "expires_at"),
)
