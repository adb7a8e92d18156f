"""API keys, links to accounts, failed logins, and the audit trail.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from tenantry.alembic.rules_0004 import create_rules

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _api_keys()
    _account_links()
    _login_attempts()
    _audit_entries()
    create_rules(op.get_bind())


def downgrade() -> None:
    for table in ("audit_entries", "login_attempts", "account_links", "api_keys"):
        op.drop_table(table)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("name", Bytewise, nullable=False),
        sa.Column("prefix", Bytewise, nullable=False),
        sa.Column("key_hash", Bytewise, nullable=False),
        sa.Column("scopes", Bytewise, nullable=False),
        sa.Column("expires_at", Bytewise, nullable=True),
        sa.Column("last_used_at", Bytewise, nullable=True),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_api_keys_user_id"), onupdate="RESTRICT", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index("ix_api_keys_of_user", "api_keys", ["user_id", "created_at", "key_id"])
    op.create_index("ix_api_keys_listed", "api_keys", ["created_at", "key_id"])


def _account_links() -> None:
    op.create_table(
        "account_links",
        sa.Column("link_id", Bytewise, nullable=False),
        sa.Column("secret_hash", Bytewise, nullable=False),
        sa.Column("user_id", Bytewise, nullable=True),
        sa.Column("email", Bytewise, nullable=True),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("expires_at", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (email IS NULL)", name=op.f("ck_account_links_purpose")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_account_links_user_id"), onupdate="RESTRICT", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_account_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_account_links_secret_hash")),
    )
    op.create_index(op.f("ix_account_links_user_id"), "account_links", ["user_id"])
    op.create_index(op.f("ix_account_links_expires_at"), "account_links", ["expires_at"])


def _login_attempts() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("subject", Bytewise, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", Bytewise, nullable=False),
        sa.Column("updated_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_attempts")),
    )
    op.create_index(op.f("ix_login_attempts_updated_at"), "login_attempts", ["updated_at"])


def _audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", RowId, sa.Identity(), nullable=False),
        sa.Column("action", Bytewise, nullable=False),
        sa.Column("actor_id", Bytewise, nullable=True),
        sa.Column("subject_id", Bytewise, nullable=True),
        sa.Column("method", Bytewise, nullable=False),
        sa.Column("key_id", Bytewise, nullable=True),
        sa.Column("address", Bytewise, nullable=True),
        sa.Column("detail", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entries_listed", "audit_entries", ["created_at", "entry_id"])
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor_id", "created_at", "entry_id"])
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject_id", "created_at", "entry_id"])
