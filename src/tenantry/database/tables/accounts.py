"""Users, what is kept for one user alone, how they prove who they are, and what became of it."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, flag, metadata, updated_at

__all__ = ["account_links", "api_keys", "audit_entries", "client_state", "login_attempts", "users"]

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

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", Bytewise, primary_key=True),
    sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT"), nullable=False),
    sa.Column("name", Bytewise, nullable=False),
    # How the key begins, by which its owner recognises it.
    sa.Column("prefix", Bytewise, nullable=False),
    # SHA-256 of the whole key, which is random enough for it.
    sa.Column("key_hash", Bytewise, nullable=False),
    # Names of scopes, in order, with a blank between them.
    sa.Column("scopes", Bytewise, nullable=False),
    sa.Column("expires_at", Bytewise),
    sa.Column("last_used_at", Bytewise),
    created_at(),
    sa.UniqueConstraint("key_hash"),
    sa.Index("ix_api_keys_of_user", "user_id", "created_at", "key_id"),
    sa.Index("ix_api_keys_listed", "created_at", "key_id"),
)

account_links = sa.Table(
    "account_links",
    metadata,
    sa.Column("link_id", Bytewise, primary_key=True),
    # SHA-256 of what is in the link.
    sa.Column("secret_hash", Bytewise, nullable=False),
    # Whose password it gives anew; or whom it invites, under which address.
    sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT")),
    sa.Column("email", Bytewise),
    flag("is_admin"),
    sa.Column("expires_at", Bytewise, nullable=False),
    created_at(),
    sa.UniqueConstraint("secret_hash"),
    sa.CheckConstraint("(user_id IS NULL) <> (email IS NULL)", name="purpose"),
    sa.Index(None, "user_id"),
    sa.Index(None, "expires_at"),
)

login_attempts = sa.Table(
    "login_attempts",
    metadata,
    # An account by the hash of what was typed as its e-mail address, whether there is one or not; or a network address.
    sa.Column("subject", Bytewise, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("blocked_until", Bytewise, nullable=False),
    updated_at(),
    sa.Index(None, "updated_at"),
)

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("entry_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("action", Bytewise, nullable=False),
    # Who did it, and to whom. No foreign keys: what is written here outlives both until it is old.
    sa.Column("actor_id", Bytewise),
    sa.Column("subject_id", Bytewise),
    # How they proved who they are, and with which key.
    sa.Column("method", Bytewise, nullable=False),
    sa.Column("key_id", Bytewise),
    # Network address from which they did it.
    sa.Column("address", Bytewise),
    # A JSON object of names and numbers, never of what somebody wrote.
    sa.Column("detail", Bytewise, nullable=False),
    created_at(),
    sa.Index("ix_audit_entries_listed", "created_at", "entry_id"),
    sa.Index("ix_audit_entries_actor", "actor_id", "created_at", "entry_id"),
    sa.Index("ix_audit_entries_subject", "subject_id", "created_at", "entry_id"),
    sqlite_autoincrement=True,
)
