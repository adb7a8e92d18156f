"""Time and ids, always handed in so that tests decide them."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

__all__ = ["Clock", "Ids", "new_id", "timestamp", "utc_now"]

Clock = Callable[[], datetime]
"""Tells the present moment, aware, in UTC."""

Ids = Callable[[], str]
"""Makes an id that was never used before."""


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random UUID, as InvokeAI writes them."""
    return str(uuid4())


def timestamp(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS.fff` in UTC, cut to milliseconds: the form that every stored time has (contract, section 2)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
