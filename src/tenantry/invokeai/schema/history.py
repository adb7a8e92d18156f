"""Which migrations InvokeAI 6.14 has behind it, as its database records them."""

import sqlalchemy as sa

from tenantry.invokeai.schema.columns import NOW, column, moment, schema, text

__all__ = ["APPLIED", "LEGACY_VERSIONS", "NEWEST", "applied_migrations", "migrations"]

LEGACY_VERSIONS = range(34)
"""What `migrations` lists: numbered migrations, after the 0 of an empty database."""

_NAMED = (
    "2026_07_01_add_session_queue_device",
    "2026_07_01_add_videos_tables",
    "2026_07_01_add_workflow_call_queue_metadata",
    "2026_07_03_round_robin_indexes",
    "2026_07_10_create_system_prompts",
    "2026_07_31_add_user_token_epoch",
    "2026_08_08_demote_system_user",
)

APPLIED: dict[str, int | None] = {
    **{f"migration_{version}": version for version in LEGACY_VERSIONS if version},
    **dict.fromkeys(_NAMED),
}
"""What `applied_migrations` lists, oldest first: each migration's id, and its number where it has one."""

NEWEST = _NAMED[-1]
"""The last migration of InvokeAI 6.14."""

migrations = sa.Table(
    "migrations",
    schema,
    sa.Column("version", sa.Integer, primary_key=True),
    moment("migrated_at", required=True, default=NOW),
)

applied_migrations = sa.Table(
    "applied_migrations",
    schema,
    text("migration_id"),
    column("legacy_version", "INTEGER"),
    moment("migrated_at", required=True, default=NOW),
    sa.PrimaryKeyConstraint("migration_id"),
    sa.UniqueConstraint("legacy_version"),
)
