"""Images and videos in one table, because the gallery shows them as one stream."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, flag, metadata, owner, updated_at

__all__ = ["media", "move_items", "move_jobs", "search_progress"]

# What lists filter by and show as names; at the end of every list index, so that names, counts and dates never read a row.
_COVERED = ("is_intermediate", "category", "kind", "board_id", "origin", "name")

media = sa.Table(
    "media",
    metadata,
    # Grows with each insert and is never reused: it breaks ties as insertion order, and the search index relies on it.
    sa.Column("media_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("kind", Bytewise, nullable=False),
    sa.Column("name", Bytewise, nullable=False),
    owner(),
    sa.Column("board_id", Bytewise, sa.ForeignKey("boards.board_id", ondelete="SET NULL", onupdate="RESTRICT")),
    # When it was put on a board for the first time.
    sa.Column("boarded_at", Bytewise),
    sa.Column("origin", Bytewise, nullable=False),
    sa.Column("category", Bytewise, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("duration", sa.Double),
    sa.Column("fps", sa.Double),
    sa.Column("session_id", Bytewise),
    sa.Column("node_id", Bytewise),
    flag("is_intermediate"),
    flag("starred"),
    flag("has_workflow"),
    sa.Column("subfolder", Bytewise, nullable=False, server_default=""),
    created_at(),
    updated_at(),
    # Last, because it is long and few reads want it.
    sa.Column("metadata", Bytewise),
    # The name first: a list of one kind must not be tempted by this index.
    sa.UniqueConstraint("name", "kind"),
    sa.CheckConstraint("kind IN ('image', 'video')", name="kind"),
    sa.CheckConstraint("(kind = 'video') = (duration IS NOT NULL)", name="duration"),
    sa.Index("ix_media_owner_starred", "user_id", "starred", "created_at", "media_id", *_COVERED),
    sa.Index("ix_media_owner_created", "user_id", "created_at", "media_id", *_COVERED),
    sa.Index("ix_media_starred", "starred", "created_at", "media_id", *_COVERED),
    sa.Index("ix_media_created", "created_at", "media_id", *_COVERED),
    sa.Index(
        "ix_media_board",
        "board_id",
        "starred",
        "created_at",
        "media_id",
        "is_intermediate",
        "category",
        "kind",
        "origin",
        "name",
        # Partial, so that nobody looks up a user's uncategorised items among everybody's.
        sqlite_where=sa.text("board_id IS NOT NULL"),
        postgresql_where=sa.text("board_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_media_intermediates",
        "user_id",
        "media_id",
        sqlite_where=sa.text("is_intermediate = 1"),
        postgresql_where=sa.text("is_intermediate"),
    ),
    sqlite_autoincrement=True,
)

search_progress = sa.Table(
    "search_progress",
    metadata,
    # Rows of `media` up to this number are in SQLite's text index; later ones are searched as they are.
    sa.Column("indexed_through", RowId, primary_key=True, autoincrement=False),
)

move_jobs = sa.Table(
    "media_move_jobs",
    metadata,
    sa.Column("job_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("state", Bytewise, nullable=False),
    sa.Column("error_message", Bytewise),
    created_at(),
    updated_at(),
    sa.CheckConstraint("state IN ('planned', 'moving', 'moved', 'committed', 'error')", name="state"),
)

move_items = sa.Table(
    "media_move_items",
    metadata,
    sa.Column("job_id", RowId, sa.ForeignKey("media_move_jobs.job_id", ondelete="CASCADE"), primary_key=True),
    # InvokeAI refuses to delete an image that was ever relocated; here the journal entry goes with it.
    sa.Column("media_id", RowId, sa.ForeignKey("media.media_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("old_subfolder", Bytewise, nullable=False),
    sa.Column("new_subfolder", Bytewise, nullable=False),
    flag("is_intermediate"),
    sa.Column("old_path", Bytewise),
    sa.Column("new_path", Bytewise),
    sa.Column("old_thumbnail_path", Bytewise),
    sa.Column("new_thumbnail_path", Bytewise),
    sa.Column("state", Bytewise, nullable=False),
    sa.Column("error_message", Bytewise),
    sa.CheckConstraint("state IN ('planned', 'moved', 'committed', 'error')", name="state"),
    sa.Index(None, "job_id", "state"),
    sa.Index(None, "media_id"),
)
