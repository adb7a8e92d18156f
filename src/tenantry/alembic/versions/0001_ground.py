"""The ground: everything that InvokeAI 6.14 keeps, with an owner on every tenant row.

Revision ID: 0001
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from tenantry.alembic.rules_0001 import create_rules, drop_rules
from tenantry.alembic.text_index_0001 import create_text_index, drop_text_index

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_COVER_KEY = "fk_boards_cover_media_id"


def _cover_key() -> list[sa.ForeignKeyConstraint]:
    """Boards and media point at each other: SQLite takes the key at once, PostgreSQL once both tables exist."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [sa.ForeignKeyConstraint(["cover_media_id"], ["media.media_id"], name=op.f(_COVER_KEY), ondelete="SET NULL")]


def upgrade() -> None:
    _installation()
    _people()
    _library()
    _gallery()
    create_rules(op.get_bind())
    create_text_index(op.get_bind())


def downgrade() -> None:
    drop_text_index(op.get_bind())
    drop_rules(op.get_bind())
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(_COVER_KEY, "boards")
    for table in (
        "media_move_items",
        "media",
        "board_shares",
        "boards",
        "workflows",
        "system_prompts",
        "style_presets",
        "queue_items",
        "model_relationships",
        "client_state",
        "users",
        "search_progress",
        "models",
        "media_move_jobs",
        "import_residue",
        "app_settings",
    ):
        op.drop_table(table)


def _installation() -> None:
    op.create_table(
        "app_settings",
        sa.Column("key", Bytewise, nullable=False),
        sa.Column("value", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_app_settings")),
    )
    op.create_table(
        "import_residue",
        sa.Column("residue_id", RowId, sa.Identity(), nullable=False),
        sa.Column("source_table", Bytewise, nullable=False),
        sa.Column("row_key", Bytewise, nullable=False),
        sa.Column("column_name", Bytewise, nullable=True),
        sa.Column("value", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("residue_id", name=op.f("pk_import_residue")),
    )
    op.create_index(op.f("ix_import_residue_source_table_row_key"), "import_residue", ["source_table", "row_key"])
    op.create_table(
        "models",
        sa.Column("model_key", Bytewise, nullable=False),
        sa.Column("hash", Bytewise, nullable=False),
        sa.Column("base", Bytewise, nullable=False),
        sa.Column("type", Bytewise, nullable=False),
        sa.Column("path", Bytewise, nullable=False),
        sa.Column("format", Bytewise, nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("source", Bytewise, nullable=False),
        sa.Column("source_type", Bytewise, nullable=False),
        sa.Column("description", Bytewise, nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.Column("config", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("model_key", name=op.f("pk_models")),
        sa.UniqueConstraint("path", name=op.f("uq_models_path")),
    )
    op.create_index(op.f("ix_models_hash"), "models", ["hash"])
    op.create_index(op.f("ix_models_type_base_name"), "models", ["type", "base", "name"])
    op.create_table(
        "model_relationships",
        sa.Column("model_key_1", Bytewise, nullable=False),
        sa.Column("model_key_2", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.CheckConstraint("model_key_1 < model_key_2", name=op.f("ck_model_relationships_sorted")),
        sa.ForeignKeyConstraint(
            ["model_key_1"], ["models.model_key"], name=op.f("fk_model_relationships_model_key_1"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_key_2"], ["models.model_key"], name=op.f("fk_model_relationships_model_key_2"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_key_1", "model_key_2", name=op.f("pk_model_relationships")),
    )
    op.create_index(op.f("ix_model_relationships_model_key_2"), "model_relationships", ["model_key_2"])
    op.create_table(
        "search_progress",
        sa.Column("indexed_through", RowId, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("indexed_through", name=op.f("pk_search_progress")),
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("email", Bytewise, nullable=True),
        sa.Column("display_name", Bytewise, nullable=True),
        sa.Column("password_hash", Bytewise, server_default="", nullable=False),
        sa.Column("kind", Bytewise, server_default="person", nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_login_at", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.CheckConstraint("(kind = 'tombstone') = (email IS NULL)", name=op.f("ck_users_email_present")),
        sa.CheckConstraint("kind IN ('person', 'system', 'tombstone')", name=op.f("ck_users_kind")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index("ix_users_listed", "users", ["created_at", "user_id", "kind"])
    _system_user()
    op.create_table(
        "client_state",
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("key", Bytewise, nullable=False),
        sa.Column("value", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_client_state_user_id"), onupdate="RESTRICT", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_client_state")),
    )


def _system_user() -> None:
    """The owner of what a single-user studio makes; here, so that every database has it before anything is written."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    users = sa.table(
        "users", *(sa.column(name) for name in ("user_id", "email", "display_name", "kind", "created_at", "updated_at"))
    )
    op.get_bind().execute(
        sa.insert(users).values(
            user_id="system",
            email="system@system.invokeai",
            display_name="System",
            kind="system",
            created_at=now,
            updated_at=now,
        )
    )


def _library() -> None:
    op.create_table(
        "workflows",
        sa.Column("sequence", RowId, sa.Identity(), nullable=False),
        sa.Column("workflow_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("category", Bytewise, nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("description", Bytewise, nullable=False),
        sa.Column("tags", Bytewise, nullable=True),
        sa.Column("opened_at", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.Column("document", Bytewise, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_workflows_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_workflows")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_workflows_workflow_id")),
    )
    op.create_index(
        "ix_workflows_listed",
        "workflows",
        ["category", "name", "sequence", "user_id", "is_public", "opened_at", "created_at", "updated_at"],
    )
    op.create_index(op.f("ix_workflows_is_public"), "workflows", ["is_public"])
    op.create_index(op.f("ix_workflows_user_id"), "workflows", ["user_id"])
    op.create_table(
        "style_presets",
        sa.Column("preset_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("type", Bytewise, server_default="user", nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("preset_data", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_style_presets_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("preset_id", name=op.f("pk_style_presets")),
    )
    op.create_index(op.f("ix_style_presets_user_id"), "style_presets", ["user_id"])
    op.create_table(
        "system_prompts",
        sa.Column("prompt_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("content", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_system_prompts_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("prompt_id", name=op.f("pk_system_prompts")),
    )
    op.create_index(op.f("ix_system_prompts_user_id"), "system_prompts", ["user_id"])
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
        sa.Column("session", Bytewise, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'waiting', 'completed', 'failed', 'canceled')",
            name=op.f("ck_queue_items_status"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_queue_items_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_queue_items")),
        sa.UniqueConstraint("session_id", name=op.f("uq_queue_items_session_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_queue_items_batch_id"), "queue_items", ["batch_id"])
    op.create_index(op.f("ix_queue_items_queue_id_item_id"), "queue_items", ["queue_id", "item_id"])
    op.create_index(op.f("ix_queue_items_queue_id_status_item_id"), "queue_items", ["queue_id", "status", "item_id"])
    op.create_index(op.f("ix_queue_items_user_id_item_id"), "queue_items", ["user_id", "item_id"])


def _gallery() -> None:
    op.create_table(
        "boards",
        sa.Column("sequence", RowId, sa.Identity(), nullable=False),
        sa.Column("board_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("board_name", Bytewise, nullable=False),
        sa.Column("visibility", Bytewise, server_default="private", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cover_media_id", RowId, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.CheckConstraint("visibility IN ('private', 'shared', 'public')", name=op.f("ck_boards_visibility")),
        *_cover_key(),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_boards_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_boards")),
        sa.UniqueConstraint("board_id", "user_id", name=op.f("uq_boards_board_id_user_id")),
        sa.UniqueConstraint("board_id", name=op.f("uq_boards_board_id")),
    )
    op.create_index(op.f("ix_boards_cover_media_id"), "boards", ["cover_media_id"])
    op.create_index("ix_boards_created", "boards", ["created_at", "sequence", "archived"])
    op.create_index("ix_boards_owner", "boards", ["user_id", "created_at", "sequence", "archived"])
    op.create_index("ix_boards_visibility", "boards", ["visibility", "user_id", "board_id", "archived"])
    op.create_table(
        "board_shares",
        sa.Column("board_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("owner_id", Bytewise, nullable=False),
        sa.Column("permission", Bytewise, nullable=False),
        sa.Column("shared_at", Bytewise, nullable=False),
        sa.CheckConstraint("permission IN ('read', 'write', 'admin')", name=op.f("ck_board_shares_permission")),
        sa.ForeignKeyConstraint(
            ["board_id", "owner_id"],
            ["boards.board_id", "boards.user_id"],
            name=op.f("fk_board_shares_board_id_owner_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_board_shares_user_id"), onupdate="RESTRICT", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("board_id", "user_id", name=op.f("pk_board_shares")),
    )
    op.create_index(op.f("ix_board_shares_owner_id"), "board_shares", ["owner_id"])
    op.create_index(op.f("ix_board_shares_user_id_board_id_permission"), "board_shares", ["user_id", "board_id", "permission"])
    op.create_table(
        "media",
        sa.Column("media_id", RowId, sa.Identity(), nullable=False),
        sa.Column("kind", Bytewise, nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("board_id", Bytewise, nullable=True),
        sa.Column("boarded_at", Bytewise, nullable=True),
        sa.Column("origin", Bytewise, nullable=False),
        sa.Column("category", Bytewise, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=True),
        sa.Column("fps", sa.Double(), nullable=True),
        sa.Column("session_id", Bytewise, nullable=True),
        sa.Column("node_id", Bytewise, nullable=True),
        sa.Column("is_intermediate", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("starred", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_workflow", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("subfolder", Bytewise, server_default="", nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.Column("metadata", Bytewise, nullable=True),
        sa.CheckConstraint("(kind = 'video') = (duration IS NOT NULL)", name=op.f("ck_media_duration")),
        sa.CheckConstraint("kind IN ('image', 'video')", name=op.f("ck_media_kind")),
        sa.ForeignKeyConstraint(
            ["board_id"], ["boards.board_id"], name=op.f("fk_media_board_id"), onupdate="RESTRICT", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_media_user_id"), onupdate="RESTRICT"),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_media")),
        sa.UniqueConstraint("name", "kind", name=op.f("uq_media_name_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_media_board",
        "media",
        ["board_id", "starred", "created_at", "media_id", "is_intermediate", "category", "kind", "origin", "name"],
        sqlite_where=sa.text("board_id IS NOT NULL"),
        postgresql_where=sa.text("board_id IS NOT NULL"),
    )
    op.create_index(
        "ix_media_created",
        "media",
        ["created_at", "media_id", "is_intermediate", "category", "kind", "board_id", "origin", "name"],
    )
    op.create_index(
        "ix_media_intermediates",
        "media",
        ["user_id", "media_id"],
        sqlite_where=sa.text("is_intermediate = 1"),
        postgresql_where=sa.text("is_intermediate"),
    )
    op.create_index(
        "ix_media_owner_created",
        "media",
        ["user_id", "created_at", "media_id", "is_intermediate", "category", "kind", "board_id", "origin", "name"],
    )
    op.create_index(
        "ix_media_owner_starred",
        "media",
        ["user_id", "starred", "created_at", "media_id", "is_intermediate", "category", "kind", "board_id", "origin", "name"],
    )
    op.create_index(
        "ix_media_starred",
        "media",
        ["starred", "created_at", "media_id", "is_intermediate", "category", "kind", "board_id", "origin", "name"],
    )
    op.create_table(
        "media_move_jobs",
        sa.Column("job_id", RowId, sa.Identity(), nullable=False),
        sa.Column("state", Bytewise, nullable=False),
        sa.Column("error_message", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'moving', 'moved', 'committed', 'error')", name=op.f("ck_media_move_jobs_state")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_media_move_jobs")),
    )
    op.create_table(
        "media_move_items",
        sa.Column("job_id", RowId, nullable=False),
        sa.Column("media_id", RowId, nullable=False),
        sa.Column("old_subfolder", Bytewise, nullable=False),
        sa.Column("new_subfolder", Bytewise, nullable=False),
        sa.Column("is_intermediate", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("old_path", Bytewise, nullable=True),
        sa.Column("new_path", Bytewise, nullable=True),
        sa.Column("old_thumbnail_path", Bytewise, nullable=True),
        sa.Column("new_thumbnail_path", Bytewise, nullable=True),
        sa.Column("state", Bytewise, nullable=False),
        sa.Column("error_message", Bytewise, nullable=True),
        sa.CheckConstraint("state IN ('planned', 'moved', 'committed', 'error')", name=op.f("ck_media_move_items_state")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["media_move_jobs.job_id"], name=op.f("fk_media_move_items_job_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.media_id"], name=op.f("fk_media_move_items_media_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "media_id", name=op.f("pk_media_move_items")),
    )
    op.create_index(op.f("ix_media_move_items_job_id_state"), "media_move_items", ["job_id", "state"])
    op.create_index(op.f("ix_media_move_items_media_id"), "media_move_items", ["media_id"])
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(_COVER_KEY, "boards", "media", ["cover_media_id"], ["media_id"], ondelete="SET NULL")
