"""The queue: batches that store their template once, and what decides whose item comes next.

Revision ID: 0002
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from tenantry.alembic.queue_rows_0002 import carry_down, carry_up, set_aside
from tenantry.alembic.rules_0002 import create_rules, restore_rules

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    set_aside(op.get_bind(), up=True)
    _batches()
    _queue_items()
    _scheduling()
    _workers()
    carry_up(op.get_bind())
    create_rules(op.get_bind())


def downgrade() -> None:
    set_aside(op.get_bind(), up=False)
    _queue_items_of_0001()
    carry_down(op.get_bind())
    for table in (
        "batches",
        "workers",
        "queue_usage",
        "queue_defaults",
        "queue_limits",
        "queue_counts",
        "queue_turns",
        "queues",
    ):
        op.drop_table(table)
    restore_rules(op.get_bind())


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("batch_key", RowId, sa.Identity(), nullable=False),
        sa.Column("batch_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("origin", Bytewise, nullable=True),
        sa.Column("destination", Bytewise, nullable=True),
        sa.Column("board_id", Bytewise, nullable=True),
        sa.Column("session_base", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("requested", sa.Integer(), server_default="0", nullable=False),
        sa.Column("enqueued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("idempotency_key", Bytewise, nullable=True),
        sa.Column("request_digest", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("graph", Bytewise, nullable=True),
        sa.Column("fields", Bytewise, nullable=True),
        sa.Column("workflow", Bytewise, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_batches_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("batch_key", name=op.f("pk_batches")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_batches_batch_id")),
        sa.UniqueConstraint("user_id", "batch_key", name=op.f("uq_batches_user_id_batch_key")),
        sqlite_autoincrement=True,
    )
    _partial("ix_batches_destination", "batches", "destination IS NOT NULL", "destination", "queue_id")
    _partial("uq_batches_idempotency_key", "batches", "idempotency_key IS NOT NULL", "user_id", "idempotency_key", unique=True)


def _queue_items() -> None:
    op.create_table(
        "queue_items",
        sa.Column("item_id", RowId, sa.Identity(), nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("batch_key", RowId, nullable=False),
        sa.Column("session_id", Bytewise, nullable=True),
        sa.Column("status", Bytewise, server_default="pending", nullable=False),
        sa.Column("status_sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("put_first", sa.BigInteger(), nullable=True),
        sa.Column("not_before", Bytewise, nullable=True),
        sa.Column("worker_id", Bytewise, nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("losses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claim_number", sa.BigInteger(), nullable=True),
        *_shared_columns(),
        sa.Column("session", Bytewise, nullable=True),
        _known_status(),
        sa.ForeignKeyConstraint(
            ["user_id", "batch_key"],
            ["batches.user_id", "batches.batch_key"],
            name=op.f("fk_queue_items_user_id_batch_key"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_queue_items")),
        sqlite_autoincrement=True,
    )
    pending, finished = "status = 'pending'", "status IN ('completed', 'failed', 'canceled')"
    _partial("uq_queue_items_session_id", "queue_items", "session_id IS NOT NULL", "session_id", unique=True)
    op.create_index(op.f("ix_queue_items_user_id_queue_id_item_id"), "queue_items", ["user_id", "queue_id", "item_id"])
    op.create_index(op.f("ix_queue_items_queue_id_status_item_id"), "queue_items", ["queue_id", "status", "item_id"])
    op.create_index(op.f("ix_queue_items_batch_key_status"), "queue_items", ["batch_key", "status"])
    _partial("ix_queue_items_next", "queue_items", pending, "queue_id", "user_id", sa.text("priority DESC"), "item_id")
    _partial("ix_queue_items_put_first", "queue_items", "put_first IS NOT NULL", "put_first")
    _partial("ix_queue_items_finished", "queue_items", finished, "queue_id", "completed_at", "item_id")
    _partial("ix_queue_items_held", "queue_items", "status = 'in_progress'", "worker_id")
    _partial("ix_queue_items_parent", "queue_items", "parent_item_id IS NOT NULL", "parent_item_id")
    _partial("ix_queue_items_call", "queue_items", "workflow_call_id IS NOT NULL", "workflow_call_id")
    _partial("ix_queue_items_root", "queue_items", "root_item_id IS NOT NULL", "root_item_id")


def _queue_items_of_0001() -> None:
    op.create_table(
        "queue_items",
        sa.Column("item_id", RowId, sa.Identity(), nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("batch_id", Bytewise, nullable=False),
        sa.Column("session_id", Bytewise, nullable=False),
        sa.Column("status", Bytewise, server_default="pending", nullable=False),
        sa.Column("status_sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("origin", Bytewise, nullable=True),
        sa.Column("destination", Bytewise, nullable=True),
        *_shared_columns(),
        sa.Column("session", Bytewise, nullable=False),
        _known_status(),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_queue_items_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_queue_items")),
        sa.UniqueConstraint("session_id", name=op.f("uq_queue_items_session_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_queue_items_batch_id"), "queue_items", ["batch_id"])
    op.create_index(op.f("ix_queue_items_queue_id_item_id"), "queue_items", ["queue_id", "item_id"])
    op.create_index(op.f("ix_queue_items_queue_id_status_item_id"), "queue_items", ["queue_id", "status", "item_id"])
    op.create_index(op.f("ix_queue_items_user_id_item_id"), "queue_items", ["user_id", "item_id"])


def _shared_columns() -> list[sa.Column[int] | sa.Column[str]]:
    """What items have in both schemas, apart from what their place in the table tells."""
    return [
        sa.Column("device", Bytewise, nullable=True),
        sa.Column("retried_from_item_id", sa.BigInteger(), nullable=True),
        sa.Column("workflow_call_id", Bytewise, nullable=True),
        sa.Column("workflow_call_depth", sa.Integer(), nullable=True),
        sa.Column("parent_item_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_session_id", Bytewise, nullable=True),
        sa.Column("root_item_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", Bytewise, nullable=True),
        sa.Column("completed_at", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.Column("error_type", Bytewise, nullable=True),
        sa.Column("error_message", Bytewise, nullable=True),
        sa.Column("error_traceback", Bytewise, nullable=True),
        sa.Column("field_values", Bytewise, nullable=True),
        sa.Column("workflow", Bytewise, nullable=True),
    ]


def _known_status() -> sa.CheckConstraint:
    return sa.CheckConstraint(
        "status IN ('pending', 'in_progress', 'waiting', 'completed', 'failed', 'canceled')",
        name=op.f("ck_queue_items_status"),
    )


def _scheduling() -> None:
    op.create_table(
        "queues",
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("claims", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("virtual_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_pending", sa.Integer(), nullable=True),
        sa.Column("keep_items", sa.Integer(), nullable=True),
        sa.Column("keep_days", sa.Float(), nullable=True),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queues")),
    )
    _all_queues()
    op.create_table(
        "queue_turns",
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("virtual_finish", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("served", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", Bytewise, server_default="", nullable=False),
        _of_user("queue_turns"),
        sa.PrimaryKeyConstraint("queue_id", "user_id", name=op.f("pk_queue_turns")),
    )
    waits = "status = 'pending' AND destination = '' AND items > 0"
    op.create_table(
        "queue_counts",
        sa.Column("queue_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("destination", Bytewise, nullable=False),
        sa.Column("status", Bytewise, nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("waits", sa.Boolean(), sa.Computed(waits, persisted=True), nullable=False),
        _of_user("queue_counts"),
        sa.PrimaryKeyConstraint("queue_id", "user_id", "destination", "status", name=op.f("pk_queue_counts")),
        postgresql_with={"fillfactor": 50},
    )
    _partial("ix_queue_counts_waiting", "queue_counts", "waits IS TRUE", "queue_id", "user_id")
    _partial("ix_queue_counts_of_user", "queue_counts", "destination = ''", "user_id", "status")
    op.create_index("ix_queue_counts_destination", "queue_counts", ["queue_id", "destination", "status"])
    op.create_table(
        "queue_limits",
        sa.Column("user_id", Bytewise, nullable=False),
        *_limits(),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        _of_user("queue_limits"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_queue_limits")),
    )
    op.create_table(
        "queue_defaults",
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        *_limits(),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.CheckConstraint("row_number = 1", name=op.f("ck_queue_defaults_single")),
        sa.PrimaryKeyConstraint("row_number", name=op.f("pk_queue_defaults")),
    )
    op.create_table(
        "queue_usage",
        sa.Column("usage_id", RowId, sa.Identity(), nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        _of_user("queue_usage"),
        sa.PrimaryKeyConstraint("usage_id", name=op.f("pk_queue_usage")),
    )
    op.create_index(op.f("ix_queue_usage_user_id_created_at"), "queue_usage", ["user_id", "created_at"])


def _all_queues() -> None:
    """The row that stands for all queues together; claims lock it, so it is there before the first one."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    queues = sa.table("queues", sa.column("queue_id"), sa.column("updated_at"))
    op.get_bind().execute(sa.insert(queues).values(queue_id="*", updated_at=now))


def _limits() -> list[sa.Column[float] | sa.Column[int]]:
    numbers = ("max_running", "max_pending", "per_minute", "per_hour", "per_day")
    return [sa.Column("weight", sa.Float(), nullable=True), *(sa.Column(name, sa.Integer(), nullable=True) for name in numbers)]


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id")
    return sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=name, onupdate="RESTRICT", ondelete="CASCADE")


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("worker_id", Bytewise, nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("host", Bytewise, nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("queue_id", Bytewise, nullable=True),
        sa.Column("devices", Bytewise, nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("draining", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("started_at", Bytewise, nullable=False),
        sa.Column("beat_at", Bytewise, nullable=False),
        sa.Column("expires_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_expires_at"), "workers", ["expires_at"])


def _partial(name: str, table: str, condition: str, *columns: str | sa.TextClause, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=where, postgresql_where=where)
