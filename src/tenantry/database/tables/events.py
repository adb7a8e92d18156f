"""The outbox: what happened, stored in the transaction in which it happened."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, metadata

__all__ = ["events"]

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_id", RowId, sa.Identity(), primary_key=True),
    # The place in the order of delivery on PostgreSQL, given after the commit; SQLite writes in the order of commits anyway.
    sa.Column("sequence", sa.BigInteger),
    # Whose it is. No foreign key: the last event of a user outlives them.
    sa.Column("user_id", Bytewise, nullable=False),
    sa.Column("kind", Bytewise, nullable=False),
    # A JSON object of names and numbers; what they stand for is read when the event is delivered.
    sa.Column("body", Bytewise, nullable=False),
    created_at(),
    # Finds what has no place yet too, except on SQLite, where it is empty.
    sa.Index("uq_events_sequence", "sequence", unique=True, sqlite_where=sa.text("sequence IS NOT NULL")),
    sqlite_autoincrement=True,
)
