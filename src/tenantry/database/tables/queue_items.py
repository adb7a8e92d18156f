"""The generation queue's items, each kept whole."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, metadata, owner, updated_at

__all__ = ["queue_items"]

queue_items = sa.Table(
    "queue_items",
    metadata,
    sa.Column("item_id", RowId, sa.Identity(), primary_key=True),
    owner(),
    sa.Column("queue_id", Bytewise, nullable=False),
    sa.Column("batch_id", Bytewise, nullable=False),
    sa.Column("session_id", Bytewise, nullable=False),
    sa.Column("status", Bytewise, nullable=False, server_default="pending"),
    sa.Column("status_sequence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("origin", Bytewise),
    sa.Column("destination", Bytewise),
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
    sa.Column("field_values", Bytewise),
    sa.Column("workflow", Bytewise),
    sa.Column("session", Bytewise, nullable=False),
    sa.UniqueConstraint("session_id"),
    sa.CheckConstraint("status IN ('pending', 'in_progress', 'waiting', 'completed', 'failed', 'canceled')", name="status"),
    sa.Index(None, "user_id", "item_id"),
    sa.Index(None, "queue_id", "item_id"),
    sa.Index(None, "queue_id", "status", "item_id"),
    sa.Index(None, "batch_id"),
    sqlite_autoincrement=True,
)
