"""InvokeAI 6.14's own database, described so that its files can be read and written."""

from tenantry.invokeai.schema.columns import schema
from tenantry.invokeai.schema.gallery import (
    board_images,
    board_videos,
    boards,
    images,
    move_items,
    move_jobs,
    shared_boards,
    videos,
)
from tenantry.invokeai.schema.history import APPLIED, LEGACY_VERSIONS, NEWEST, applied_migrations, migrations
from tenantry.invokeai.schema.library import model_relationships, models, style_presets, system_prompts, workflow_library
from tenantry.invokeai.schema.people import app_settings, client_state, user_invitations, user_sessions, users
from tenantry.invokeai.schema.session_queue import session_queue
from tenantry.invokeai.schema.triggers import trigger_statements

__all__ = [
    "APPLIED",
    "LEGACY_VERSIONS",
    "NEWEST",
    "app_settings",
    "applied_migrations",
    "board_images",
    "board_videos",
    "boards",
    "client_state",
    "images",
    "migrations",
    "model_relationships",
    "models",
    "move_items",
    "move_jobs",
    "schema",
    "session_queue",
    "shared_boards",
    "style_presets",
    "system_prompts",
    "trigger_statements",
    "user_invitations",
    "user_sessions",
    "users",
    "videos",
    "workflow_library",
]
