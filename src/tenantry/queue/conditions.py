"""Conditions on a status, with the status written into the statement.

A bound value could not be matched with the conditions of partial indexes, and SQLite would prepare a statement that compares an
indexed column with one anew at each execution (measured: 85 of 150 microseconds).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import queue_counts, queue_items
from tenantry.queue.states import FINAL, Status
from tenantry.repositories.queue_counts import ANY_DESTINATION

__all__ = ["counts_everything", "has_ended", "has_status", "is_available", "waits", "written"]


def written(text: str) -> ColumnElement[str]:
    """A text of ours as it stands in the statement."""
    return sa.literal_column(f"'{text}'", sa.Text())


def has_status(items: Any, *statuses: Status) -> ColumnElement[bool]:
    """Whether an item, or a count, is of one of these statuses; `items` are the columns of either table."""
    if len(statuses) == 1:
        same: ColumnElement[bool] = items.status == written(statuses[0].value)
        return same
    names = ", ".join(f"'{status.value}'" for status in statuses)
    column: ColumnElement[bool] = items.status.op("IN", is_comparison=True)(sa.literal_column(f"({names})"))
    return column


def has_ended() -> ColumnElement[bool]:
    """Items that have ended, in the words of their index."""
    return has_status(queue_items.c, *(status for status in Status if status in FINAL))


def is_available(at: ColumnElement[str]) -> ColumnElement[bool]:
    """Pending items that no back-off holds back."""
    not_before = queue_items.c.not_before
    return sa.and_(has_status(queue_items.c, Status.PENDING), sa.or_(not_before.is_(None), not_before <= at))


def counts_everything(counts: Any = queue_counts.c) -> ColumnElement[bool]:
    """The counts that are of all destinations."""
    everything: ColumnElement[bool] = counts.destination == written(ANY_DESTINATION)
    return everything


def waits() -> ColumnElement[bool]:
    """The counts of users who wait, in the words of their index."""
    return queue_counts.c.waits.is_(sa.literal_column("TRUE"))
