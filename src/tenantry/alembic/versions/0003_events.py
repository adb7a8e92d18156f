"""The outbox: events that are stored in the transaction in which they happen.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from tenantry.alembic.rules_0003 import create_rules

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", RowId, sa.Identity(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("user_id", Bytewise, nullable=False),
        sa.Column("kind", Bytewise, nullable=False),
        sa.Column("body", Bytewise, nullable=False),
        sa.Column("created_at", Bytewise, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_events_sequence", "events", ["sequence"], unique=True, sqlite_where=sa.text("sequence IS NOT NULL"))
    create_rules(op.get_bind())


def downgrade() -> None:
    op.drop_table("events")
