"""Workflows, style presets and system prompts."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, flag, metadata, owner, updated_at

__all__ = ["style_presets", "system_prompts", "workflows"]

workflows = sa.Table(
    "workflows",
    metadata,
    # Insertion order, which breaks ties: most workflows share the NULL of opened_at.
    sa.Column("sequence", RowId, sa.Identity(), primary_key=True),
    sa.Column("workflow_id", Bytewise, nullable=False),
    owner(),
    flag("is_public"),
    # Read from the document at each write, so that lists never parse JSON.
    sa.Column("category", Bytewise, nullable=False),
    sa.Column("name", Bytewise, nullable=False),
    sa.Column("description", Bytewise, nullable=False),
    sa.Column("tags", Bytewise),
    sa.Column("opened_at", Bytewise),
    created_at(),
    updated_at(),
    sa.Column("document", Bytewise, nullable=False),
    sa.UniqueConstraint("workflow_id"),
    sa.Index(None, "user_id"),
    sa.Index(None, "is_public"),
    # Lists choose their rows from this alone and never pass over the documents of others.
    sa.Index(
        "ix_workflows_listed",
        *("category", "name", "sequence", "user_id", "is_public", "opened_at", "created_at", "updated_at"),
    ),
)

style_presets = sa.Table(
    "style_presets",
    metadata,
    sa.Column("preset_id", Bytewise, primary_key=True),
    owner(),
    flag("is_public"),
    sa.Column("type", Bytewise, nullable=False, server_default="user"),
    sa.Column("name", Bytewise, nullable=False),
    sa.Column("preset_data", Bytewise, nullable=False),
    created_at(),
    updated_at(),
    sa.Index(None, "user_id"),
)

system_prompts = sa.Table(
    "system_prompts",
    metadata,
    sa.Column("prompt_id", Bytewise, primary_key=True),
    owner(),
    flag("is_public"),
    sa.Column("name", Bytewise, nullable=False),
    sa.Column("content", Bytewise, nullable=False),
    created_at(),
    updated_at(),
    sa.Index(None, "user_id"),
)
