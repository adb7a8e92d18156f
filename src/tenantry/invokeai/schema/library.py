"""Workflows, style presets, system prompts and models."""

import sqlalchemy as sa

from tenantry.invokeai.schema.columns import NOW, boolean, column, created_at, derived, moment, schema, text, updated_at

__all__ = ["model_relationships", "models", "style_presets", "system_prompts", "workflow_library"]

workflow_library = sa.Table(
    "workflow_library",
    schema,
    text("workflow_id", required=True),
    text("workflow", required=True),
    created_at(),
    updated_at(),
    derived("category", "$.meta.category", of="workflow"),
    derived("name", "$.name", of="workflow"),
    derived("description", "$.description", of="workflow"),
    derived("tags", "$.tags", of="workflow", required=False),
    moment("opened_at"),
    text("user_id", default="'system'"),
    boolean("is_public", required=True),
    sa.PrimaryKeyConstraint("workflow_id"),
    sa.Index("idx_workflow_library_created_at", "created_at"),
    sa.Index("idx_workflow_library_updated_at", "updated_at"),
    sa.Index("idx_workflow_library_category", "category"),
    sa.Index("idx_workflow_library_name", "name"),
    sa.Index("idx_workflow_library_description", "description"),
    sa.Index("idx_workflow_library_opened_at", "opened_at"),
    sa.Index("idx_workflow_library_user_id", "user_id"),
    sa.Index("idx_workflow_library_is_public", "is_public"),
)

style_presets = sa.Table(
    "style_presets",
    schema,
    text("id", required=True),
    text("name", required=True),
    text("preset_data", required=True),
    text("type", required=True, default="'user'"),
    created_at(),
    updated_at(),
    text("user_id", default="'system'"),
    boolean("is_public", required=True),
    sa.PrimaryKeyConstraint("id"),
    sa.Index("idx_style_presets_name", "name"),
    sa.Index("idx_style_presets_user_id", "user_id"),
    sa.Index("idx_style_presets_is_public", "is_public"),
)

system_prompts = sa.Table(
    "system_prompts",
    schema,
    text("id", required=True),
    text("name", required=True),
    text("content", required=True),
    text("user_id", required=True, default="'system'"),
    boolean("is_public", required=True),
    created_at(),
    updated_at(),
    sa.PrimaryKeyConstraint("id"),
    sa.Index("idx_system_prompts_name", "name"),
    sa.Index("idx_system_prompts_user_id", "user_id"),
)

models = sa.Table(
    "models",
    schema,
    text("id", required=True),
    derived("hash", "$.hash", of="config"),
    derived("base", "$.base", of="config"),
    derived("type", "$.type", of="config"),
    derived("path", "$.path", of="config"),
    derived("format", "$.format", of="config"),
    derived("name", "$.name", of="config"),
    derived("description", "$.description", of="config", required=False),
    derived("source", "$.source", of="config"),
    derived("source_type", "$.source_type", of="config"),
    derived("source_api_response", "$.source_api_response", of="config", required=False),
    derived("trigger_phrases", "$.trigger_phrases", of="config", required=False),
    derived("file_size", "$.file_size", of="config", declared="INTEGER"),
    text("config", required=True),
    created_at(),
    updated_at(),
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("path"),
    sa.Index("base_index", "base"),
    sa.Index("type_index", "type"),
    sa.Index("name_index", "name"),
)

model_relationships = sa.Table(
    "model_relationships",
    schema,
    text("model_key_1", sa.ForeignKey("models.id", ondelete="CASCADE"), required=True),
    text("model_key_2", sa.ForeignKey("models.id", ondelete="CASCADE"), required=True),
    column("created_at", "TEXT DATETIME", required=True, default=f"({NOW})"),
    sa.PrimaryKeyConstraint("model_key_1", "model_key_2"),
    sa.Index("keyx_model_relationships_model_key_2", "model_key_2"),
)
