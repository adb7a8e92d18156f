"""What is told while an item runs. It is passing: nothing keeps it, and who was away does not get it."""

from typing import Any

from tenantry.events.types.base import Audience, Event, Others

__all__ = [
    "InvocationComplete",
    "InvocationError",
    "InvocationProgress",
    "InvocationStarted",
    "QueueItemProgress",
    "RecallParametersUpdated",
]


class _Running(Event):
    queue_id: str
    item_id: int
    user_id: str


class QueueItemProgress(_Running, name="queue_item_progress", audience=Audience.OWNER, others=Others.NOTHING):
    """How far a handler of a worker's says it is: a fraction from 0 to 1, and a few words."""

    fraction: float
    message: str


class _Invocation(_Running):
    batch_id: str
    session_id: str
    origin: str | None
    destination: str | None
    invocation: dict[str, Any]
    invocation_source_id: str


class InvocationStarted(_Invocation, name="invocation_started", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """A node of an item's graph begins."""


class InvocationProgress(_Invocation, name="invocation_progress", audience=Audience.OWNER, others=Others.NOTHING):
    """How far a node is, perhaps with a preview; administrators do not get it (contract, section 3)."""

    message: str
    percentage: float | None
    image: dict[str, Any] | None
    device: str | None


class InvocationComplete(_Invocation, name="invocation_complete", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """A node has ended."""

    result: dict[str, Any]


class InvocationError(_Invocation, name="invocation_error", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """A node has failed."""

    error_type: str
    error_message: str
    error_traceback: str


class RecallParametersUpdated(
    Event, name="recall_parameters_updated", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING
):
    """Parameters that the user's own pages are to take over."""

    queue_id: str
    user_id: str
    parameters: dict[str, Any]
