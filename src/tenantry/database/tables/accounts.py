"""Users, and what is kept for one user alone."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, created_at, flag, metadata, updated_at

__all__ = ["client_state", "users"]

users = sa.Table(
    "users",
    metadata,
    sa.Column("user_id", Bytewise, primary_key=True),
    # NULL only for a tombstone, so that its address is free for somebody else.
    sa.Column("email", Bytewise),
    sa.Column("display_name", Bytewise),
    sa.Column("password_hash", Bytewise, nullable=False, server_default=""),
    # person: somebody who can log in; system: owner of what a single-user studio left;
    # tombstone: hidden owner of rows whose user is gone.
    sa.Column("kind", Bytewise, nullable=False, server_default="person"),
    flag("is_admin"),
    flag("is_active", default=True),
    sa.Column("token_epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_login_at", Bytewise),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("email"),
    sa.CheckConstraint("kind IN ('person', 'system', 'tombstone')", name="kind"),
    sa.CheckConstraint("(kind = 'tombstone') = (email IS NULL)", name="email_present"),
    sa.Index("ix_users_listed", "created_at", "user_id", "kind"),
)

client_state = sa.Table(
    "client_state",
    metadata,
    sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT"), primary_key=True),
    sa.Column("key", Bytewise, primary_key=True),
    sa.Column("value", Bytewise, nullable=False),
    updated_at(),
)
