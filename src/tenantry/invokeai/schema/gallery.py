"""Boards, images, videos, what lies on which board, and the journal of moved files."""

from typing import Any

import sqlalchemy as sa

from tenantry.invokeai.schema.columns import (
    NOW,
    boolean,
    column,
    created_at,
    deleted_at,
    moment,
    schema,
    text,
    updated_at,
)

__all__ = ["board_images", "board_videos", "boards", "images", "move_items", "move_jobs", "shared_boards", "videos"]

images = sa.Table(
    "images",
    schema,
    text("image_name", required=True),
    text("image_origin", required=True),
    text("image_category", required=True),
    column("width", "INTEGER", required=True),
    column("height", "INTEGER", required=True),
    text("session_id"),
    text("node_id"),
    text("metadata"),
    boolean("is_intermediate"),
    created_at(),
    updated_at(),
    deleted_at(),
    boolean("starred"),
    boolean("has_workflow"),
    text("user_id", default="'system'"),
    text("image_subfolder", required=True, default="''"),
    sa.PrimaryKeyConstraint("image_name"),
    sa.Index("idx_images_image_name", "image_name", unique=True),
    sa.Index("idx_images_image_origin", "image_origin"),
    sa.Index("idx_images_image_category", "image_category"),
    sa.Index("idx_images_created_at", "created_at"),
    sa.Index("idx_images_starred", "starred"),
    sa.Index("idx_images_user_id", "user_id"),
)

videos = sa.Table(
    "videos",
    schema,
    text("video_name", required=True),
    text("video_origin", required=True),
    text("video_category", required=True),
    column("width", "INTEGER", required=True),
    column("height", "INTEGER", required=True),
    column("duration", "REAL", required=True, default="0.0"),
    column("fps", "REAL"),
    text("session_id"),
    text("node_id"),
    text("metadata"),
    boolean("is_intermediate"),
    boolean("starred"),
    boolean("has_workflow"),
    text("user_id", required=True, default="'system'"),
    text("video_subfolder", required=True, default="''"),
    created_at(),
    updated_at(),
    deleted_at(),
    sa.PrimaryKeyConstraint("video_name"),
    sa.Index("idx_videos_video_name", "video_name", unique=True),
    sa.Index("idx_videos_video_origin", "video_origin"),
    sa.Index("idx_videos_video_category", "video_category"),
    sa.Index("idx_videos_created_at", "created_at"),
    sa.Index("idx_videos_starred", "starred"),
    sa.Index("idx_videos_user_id", "user_id"),
)

boards = sa.Table(
    "boards",
    schema,
    text("board_id", required=True),
    text("board_name", required=True),
    text("cover_image_name", sa.ForeignKey("images.image_name", ondelete="SET NULL")),
    created_at(),
    updated_at(),
    deleted_at(),
    boolean("archived"),
    text("user_id", default="'system'"),
    boolean("is_public", required=True),
    text("board_visibility", required=True, default="'private'"),
    sa.PrimaryKeyConstraint("board_id"),
    sa.Index("idx_boards_created_at", "created_at"),
    sa.Index("idx_boards_user_id", "user_id"),
    sa.Index("idx_boards_is_public", "is_public"),
    sa.Index("idx_boards_board_visibility", "board_visibility"),
)


def _membership(name: str, item: str, items: str) -> sa.Table:
    """Which board an item lies on; at most one."""
    return sa.Table(
        name,
        schema,
        text("board_id", sa.ForeignKey("boards.board_id", ondelete="CASCADE"), required=True),
        text(item, sa.ForeignKey(f"{items}.{item}", ondelete="CASCADE"), required=True),
        created_at(),
        updated_at(),
        deleted_at(),
        sa.PrimaryKeyConstraint(item),
        sa.Index(f"idx_{name}_board_id", "board_id"),
        sa.Index(f"idx_{name}_board_id_created_at", "board_id", "created_at"),
    )


board_images = _membership("board_images", "image_name", "images")
board_videos = _membership("board_videos", "video_name", "videos")

shared_boards = sa.Table(
    "shared_boards",
    schema,
    text("board_id", sa.ForeignKey("boards.board_id", ondelete="CASCADE"), required=True),
    text("user_id", sa.ForeignKey("users.user_id", ondelete="CASCADE"), required=True),
    boolean("can_edit", required=True),
    moment("shared_at", required=True, default=NOW),
    sa.PrimaryKeyConstraint("board_id", "user_id"),
    sa.Index("idx_shared_boards_user_id", "user_id"),
    sa.Index("idx_shared_boards_board_id", "board_id"),
)


def _state(*states: str) -> tuple[sa.Column[Any], sa.CheckConstraint]:
    listed = ", ".join(f"'{state}'" for state in states)
    return text("state", required=True), sa.CheckConstraint(f"state IN ({listed})")


move_jobs = sa.Table(
    "image_subfolder_move_jobs",
    schema,
    sa.Column("id", sa.Integer, primary_key=True),
    *_state("planned", "moving", "moved", "committed", "error"),
    created_at(),
    updated_at(),
    text("error_message"),
)

move_items = sa.Table(
    "image_subfolder_move_items",
    schema,
    column("job_id", "INTEGER", sa.ForeignKey("image_subfolder_move_jobs.id"), required=True),
    text("image_name", sa.ForeignKey("images.image_name"), required=True),
    text("old_subfolder", required=True),
    text("new_subfolder", required=True),
    boolean("is_intermediate", required=True),
    text("old_path"),
    text("new_path"),
    text("old_thumbnail_path"),
    text("new_thumbnail_path"),
    *_state("planned", "moved", "committed", "error"),
    text("error_message"),
    sa.PrimaryKeyConstraint("job_id", "image_name"),
    sa.Index("idx_image_subfolder_move_items_job_state", "job_id", "state"),
    sa.Index("idx_image_subfolder_move_items_image_name", "image_name"),
)
