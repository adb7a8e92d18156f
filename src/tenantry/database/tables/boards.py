"""Boards and to whom they are shared."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, flag, metadata, owner, updated_at

__all__ = ["board_shares", "boards"]

boards = sa.Table(
    "boards",
    metadata,
    # Insertion order, which breaks ties of created_at.
    sa.Column("sequence", RowId, sa.Identity(), primary_key=True),
    sa.Column("board_id", Bytewise, nullable=False),
    owner(),
    sa.Column("board_name", Bytewise, nullable=False),
    sa.Column("visibility", Bytewise, nullable=False, server_default="private"),
    flag("archived"),
    # Boards and media point at each other; PostgreSQL gets this key once both exist.
    sa.Column("cover_media_id", RowId, sa.ForeignKey("media.media_id", ondelete="SET NULL", use_alter=True)),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("board_id"),
    # Lets children name the board together with its owner.
    sa.UniqueConstraint("board_id", "user_id"),
    sa.CheckConstraint("visibility IN ('private', 'shared', 'public')", name="visibility"),
    sa.Index("ix_boards_owner", "user_id", "created_at", "sequence", "archived"),
    sa.Index("ix_boards_created", "created_at", "sequence", "archived"),
    # Answers who may see which boards without reading one.
    sa.Index("ix_boards_visibility", "visibility", "user_id", "board_id", "archived"),
    sa.Index(None, "cover_media_id"),
)

board_shares = sa.Table(
    "board_shares",
    metadata,
    sa.Column("board_id", Bytewise, primary_key=True),
    sa.Column("user_id", Bytewise, sa.ForeignKey("users.user_id", ondelete="CASCADE", onupdate="RESTRICT"), primary_key=True),
    # The board's owner stands here too, so that no access rule has to read boards to judge a share.
    sa.Column("owner_id", Bytewise, nullable=False),
    sa.Column("permission", Bytewise, nullable=False),
    sa.Column("shared_at", Bytewise, nullable=False),
    sa.ForeignKeyConstraint(
        ["board_id", "owner_id"], ["boards.board_id", "boards.user_id"], ondelete="CASCADE", onupdate="CASCADE"
    ),
    sa.CheckConstraint("permission IN ('read', 'write', 'admin')", name="permission"),
    sa.Index(None, "user_id", "board_id", "permission"),
    sa.Index(None, "owner_id"),
)
