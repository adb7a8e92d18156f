"""The metadata that all tables share, and the column types that mean the same on SQLite and PostgreSQL."""

import sqlalchemy as sa

__all__ = ["Bytewise", "RowId", "created_at", "flag", "metadata", "owner", "updated_at"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that compares and sorts byte by byte on both databases, as InvokeAI's SQLite columns do."""

RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A growing 64-bit row number; SQLite only numbers columns that are declared INTEGER."""


def owner() -> sa.Column[str]:
    """The user that a row belongs to; the delete rule keeps orphans from coming into being."""
    return sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", onupdate="RESTRICT"), nullable=False)


def created_at() -> sa.Column[str]:
    """UTC text `YYYY-MM-DD HH:MM:SS.fff`, kept to the byte because clients of InvokeAI see it (contract, section 2)."""
    return sa.Column("created_at", Bytewise, nullable=False)


def updated_at() -> sa.Column[str]:
    """Like `created_at`; every write of the row sets it."""
    return sa.Column("updated_at", Bytewise, nullable=False)


def flag(name: str, *, default: bool = False) -> sa.Column[bool]:
    """A truth value that is never NULL."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.true() if default else sa.false())
