"""What everybody may know of a queue item that is not theirs: its number and place, how it goes, and when and where it ran.

The rest is replaced inside the database, so that it never reaches the process on a stranger's behalf (contract, section 7).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import queue_items
from tenantry.tenancy.visibility import ME

__all__ = ["PUBLIC_QUEUE_COLUMNS", "is_redacted", "redacted"]

PUBLIC_QUEUE_COLUMNS = frozenset(
    {"item_id", "queue_id", "status", "status_sequence", "device", "created_at", "updated_at", "started_at", "completed_at"}
)
"""Columns of `queue_items` that are shown as they are; every other one, a new one too, is its owner's alone."""


def redacted(column: ColumnElement[Any], *, everything: bool, name: str | None = None) -> ColumnElement[Any]:
    """The column, under its name or another, for the item's owner and for who sees everything; NULL for anybody else."""
    shown = name or column.key or ""
    if everything or (isinstance(column, sa.Column) and column.table is queue_items and shown in PUBLIC_QUEUE_COLUMNS):
        return column if name is None else column.label(name)
    return sa.case((queue_items.c.user_id == ME, column), else_=sa.null()).label(shown)


def is_redacted(*, everything: bool) -> ColumnElement[bool]:
    """Whether the reader gets less than the owner would."""
    return (sa.false() if everything else queue_items.c.user_id != ME).label("is_redacted")
