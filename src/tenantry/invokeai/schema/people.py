"""Accounts, what is kept for one user alone, and the installation's settings."""

import sqlalchemy as sa

from tenantry.invokeai.schema.columns import NOW, boolean, column, created_at, moment, schema, text, updated_at

__all__ = ["app_settings", "client_state", "user_invitations", "user_sessions", "users"]

users = sa.Table(
    "users",
    schema,
    text("user_id", required=True),
    text("email", required=True),
    text("display_name"),
    text("password_hash", required=True),
    boolean("is_admin", required=True),
    boolean("is_active", required=True, default=True),
    created_at(),
    updated_at(),
    moment("last_login_at"),
    column("token_epoch", "INTEGER", required=True, default="0"),
    sa.PrimaryKeyConstraint("user_id"),
    sa.UniqueConstraint("email"),
    sa.Index("idx_users_email", "email"),
    sa.Index("idx_users_is_admin", "is_admin"),
    sa.Index("idx_users_is_active", "is_active"),
)

user_sessions = sa.Table(
    "user_sessions",
    schema,
    text("session_id", required=True),
    text("user_id", sa.ForeignKey("users.user_id", ondelete="CASCADE"), required=True),
    text("token_hash", required=True),
    moment("expires_at", required=True),
    created_at(),
    moment("last_activity_at", required=True, default=NOW),
    sa.PrimaryKeyConstraint("session_id"),
    sa.Index("idx_user_sessions_user_id", "user_id"),
    sa.Index("idx_user_sessions_token_hash", "token_hash"),
    sa.Index("idx_user_sessions_expires_at", "expires_at"),
)

user_invitations = sa.Table(
    "user_invitations",
    schema,
    text("invitation_id", required=True),
    text("email", required=True),
    text("invited_by", sa.ForeignKey("users.user_id", ondelete="CASCADE"), required=True),
    text("invitation_code", required=True),
    boolean("is_admin", required=True),
    moment("expires_at", required=True),
    moment("used_at"),
    created_at(),
    sa.PrimaryKeyConstraint("invitation_id"),
    sa.UniqueConstraint("invitation_code"),
    sa.Index("idx_user_invitations_email", "email"),
    sa.Index("idx_user_invitations_invitation_code", "invitation_code"),
    sa.Index("idx_user_invitations_expires_at", "expires_at"),
)

client_state = sa.Table(
    "client_state",
    schema,
    text("user_id", sa.ForeignKey("users.user_id", ondelete="CASCADE"), required=True),
    text("key", required=True),
    text("value", required=True),
    moment("updated_at", required=True, default="CURRENT_TIMESTAMP"),
    sa.PrimaryKeyConstraint("user_id", "key"),
    sa.Index("idx_client_state_user_id", "user_id"),
)

app_settings = sa.Table(
    "app_settings",
    schema,
    text("key", required=True),
    text("value", required=True),
    created_at(),
    updated_at(),
    sa.PrimaryKeyConstraint("key"),
)
