"""What everybody may know of a queue item that is not theirs: its number and place, how it goes, and when and where it ran.

The rest is replaced inside the database, so that it never reaches the process on a stranger's behalf (contract, section 7).
"""

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import queue_items
from tenantry.tenancy.visibility import ME

__all__ = ["PUBLIC_QUEUE_COLUMNS", "is_redacted", "redacted"]

PUBLIC_QUEUE_COLUMNS = frozenset(
    {"item_id", "queue_id", "status", "status_sequence", "device", "created_at", "updated_at", "started_at", "completed_at"}
)
"""Columns of `queue_items` that are shown as they are; every other one, a new one too, is its owner's alone."""


def redacted(column: sa.Column[object], *, everything: bool) -> ColumnElement[object]:
    """The column for the item's owner and for who sees everything; NULL for anybody else."""
    if everything or column.name in PUBLIC_QUEUE_COLUMNS:
        return column
    return sa.case((queue_items.c.user_id == ME, column), else_=sa.null()).label(column.name)


def is_redacted(*, everything: bool) -> ColumnElement[bool]:
    """Whether the reader gets less than the owner would."""
    return (sa.false() if everything else queue_items.c.user_id != ME).label("is_redacted")
