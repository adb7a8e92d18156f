"""Time and ids, always handed in so that tests decide them."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

__all__ = ["Clock", "Ids", "moment_of", "new_id", "seconds_between", "timestamp", "utc_now"]

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
    return moment.astimezone(UTC).isoformat(" ", "milliseconds")[:23]


def moment_of(stored: str) -> datetime:
    """The moment that `timestamp` wrote; an import may have brought times without a fraction."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one stored time to another; 0 where a clock went back."""
    return max((moment_of(end) - moment_of(begin)).total_seconds(), 0.0)
