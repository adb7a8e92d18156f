"""The generation queue."""

import sqlalchemy as sa

from tenantry.invokeai.schema.columns import column, created_at, moment, schema, text, updated_at

__all__ = ["session_queue"]

session_queue = sa.Table(
    "session_queue",
    schema,
    sa.Column("item_id", sa.Integer, primary_key=True),
    text("batch_id", required=True),
    text("queue_id", required=True),
    text("session_id", required=True),
    text("field_values"),
    text("session", required=True),
    text("status", required=True, default="'pending'"),
    column("priority", "INTEGER", required=True, default="0"),
    text("error_traceback"),
    created_at(),
    updated_at(),
    moment("started_at"),
    moment("completed_at"),
    text("workflow"),
    text("error_type"),
    text("error_message"),
    text("origin"),
    text("destination"),
    column("retried_from_item_id", "INTEGER"),
    text("user_id", default="'system'"),
    column("status_sequence", "INTEGER", default="0"),
    text("device"),
    text("workflow_call_id"),
    column("parent_item_id", "INTEGER"),
    text("parent_session_id"),
    column("root_item_id", "INTEGER"),
    column("workflow_call_depth", "INTEGER"),
    sa.UniqueConstraint("session_id"),
    sa.Index("idx_session_queue_item_id", "item_id", unique=True),
    sa.Index("idx_session_queue_session_id", "session_id", unique=True),
    sa.Index("idx_session_queue_batch_id", "batch_id"),
    sa.Index("idx_session_queue_created_priority", "priority"),
    sa.Index("idx_session_queue_created_status", "status"),
    sa.Index("idx_session_queue_user_id", "user_id"),
    sa.Index("idx_session_queue_workflow_call_id", "workflow_call_id"),
    sa.Index("idx_session_queue_parent_item_id", "parent_item_id"),
    sa.Index("idx_session_queue_parent_session_id", "parent_session_id"),
    sa.Index("idx_session_queue_root_item_id", "root_item_id"),
    sa.Index("idx_session_queue_workflow_call_depth", "workflow_call_depth"),
    sa.Index("idx_session_queue_round_robin_pending", "status", "user_id", sa.text("priority DESC"), sa.text("item_id ASC")),
    sa.Index("idx_session_queue_user_started_at", "user_id", "started_at"),
    sqlite_autoincrement=True,
)
