"""Models and which of them belong together; they are the installation's, not a user's."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, created_at, metadata, updated_at

__all__ = ["model_relationships", "models"]

models = sa.Table(
    "models",
    metadata,
    sa.Column("model_key", Bytewise, primary_key=True),
    # Read from the configuration at each write.
    sa.Column("hash", Bytewise, nullable=False),
    sa.Column("base", Bytewise, nullable=False),
    sa.Column("type", Bytewise, nullable=False),
    sa.Column("path", Bytewise, nullable=False),
    sa.Column("format", Bytewise, nullable=False),
    sa.Column("name", Bytewise, nullable=False),
    sa.Column("source", Bytewise, nullable=False),
    sa.Column("source_type", Bytewise, nullable=False),
    sa.Column("description", Bytewise),
    sa.Column("file_size", sa.BigInteger, nullable=False),
    created_at(),
    updated_at(),
    sa.Column("config", Bytewise, nullable=False),
    sa.UniqueConstraint("path"),
    sa.Index(None, "hash"),
    sa.Index(None, "type", "base", "name"),
)

model_relationships = sa.Table(
    "model_relationships",
    metadata,
    sa.Column("model_key_1", Bytewise, sa.ForeignKey("models.model_key", ondelete="CASCADE"), primary_key=True),
    sa.Column("model_key_2", Bytewise, sa.ForeignKey("models.model_key", ondelete="CASCADE"), primary_key=True),
    created_at(),
    sa.CheckConstraint("model_key_1 < model_key_2", name="sorted"),
    sa.Index(None, "model_key_2"),
)
