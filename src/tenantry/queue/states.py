"""The states of a queue item and the ways from one to another: the only place that says which changes are legal."""

from enum import StrEnum

__all__ = ["FINAL", "LIVE", "TRANSITIONS", "Status", "may_become"]


class Status(StrEnum):
    """Where an item stands."""

    PENDING = "pending"
    """Waits for a worker."""
    IN_PROGRESS = "in_progress"
    """A worker holds it."""
    WAITING = "waiting"
    """Suspended until the workflows that it called have returned."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    # A claim; or an end without one.
    Status.PENDING: frozenset({Status.IN_PROGRESS, Status.CANCELED, Status.FAILED}),
    # An end; a call to another workflow; or the worker gives it back or is gone.
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.WAITING, Status.PENDING}),
    # The return of what it called; or an end.
    Status.WAITING: frozenset({Status.PENDING, Status.CANCELED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
}

FINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
"""Nothing comes after these."""

LIVE = frozenset(Status) - FINAL


def may_become(before: Status, after: Status, *, as_invokeai: bool = False) -> bool:
    """Whether an item may go from one state to another.

    InvokeAI lets any item that has not ended become anything, also what it is (contract, section 4.9).
    """
    return before in LIVE if as_invokeai else after in TRANSITIONS[before]
