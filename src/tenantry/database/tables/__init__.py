"""The schema. `metadata` holds it whole; migrations build it, and a test shows that both agree."""

from tenantry.database.tables.accounts import account_links, api_keys, audit_entries, client_state, login_attempts, users
from tenantry.database.tables.boards import board_shares, boards
from tenantry.database.tables.columns import metadata
from tenantry.database.tables.events import events
from tenantry.database.tables.installation import app_settings, import_residue
from tenantry.database.tables.library import style_presets, system_prompts, workflows
from tenantry.database.tables.media import media, move_items, move_jobs, search_progress
from tenantry.database.tables.models import model_relationships, models
from tenantry.database.tables.queue import (
    batches,
    queue_counts,
    queue_defaults,
    queue_items,
    queue_limits,
    queue_turns,
    queue_usage,
    queues,
    workers,
)

__all__ = [
    "account_links",
    "api_keys",
    "app_settings",
    "audit_entries",
    "batches",
    "board_shares",
    "boards",
    "client_state",
    "events",
    "import_residue",
    "login_attempts",
    "media",
    "metadata",
    "model_relationships",
    "models",
    "move_items",
    "move_jobs",
    "queue_counts",
    "queue_defaults",
    "queue_items",
    "queue_limits",
    "queue_turns",
    "queue_usage",
    "queues",
    "search_progress",
    "style_presets",
    "system_prompts",
    "users",
    "workers",
    "workflows",
]
