"""Items of the queue over the wire. What others may not know of an item is replaced as InvokeAI replaces it."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tenantry.api.shapes.common import MAX_NAMES, can_be_sent, json_object
from tenantry.queue import Position, QueueItem, QueueItemDetail, Status
from tenantry.queue.sessions import fresh_session
from tenantry.repositories.pages import Slice

__all__ = [
    "ItemId",
    "ItemIds",
    "ItemIdsResult",
    "ListedItem",
    "QueueItemPosition",
    "QueueItemSlice",
    "SessionQueueItem",
    "SessionQueueItemSummary",
]

ItemId = Annotated[int, Field(ge=0, le=2**63 - 1)]
ItemIds = Annotated[list[ItemId], Field(max_length=MAX_NAMES)]

REDACTED = "redacted"
"""Stands where something of somebody else's would."""


class SessionQueueItemSummary(BaseModel):
    """An item as InvokeAI's list shows it."""

    item_id: int
    status: Status
    device: str | None = Field(description="Where it runs or ran.")
    created_at: str = Field(description="UTC, `YYYY-MM-DD HH:MM:SS.fff`.")
    started_at: str | None
    completed_at: str | None
    user_id: str = Field(description="The owner; `redacted` where that is somebody else.")
    user_display_name: str | None
    user_email: str | None
    batch_id: str
    origin: str | None
    destination: str | None
    field_values: list[dict[str, Any]] | None = Field(
        description="What was put into the graph: `node_path`, `field_name`, `value`."
    )
    parent_item_id: int | None = Field(description="The item that called this one.")
    is_redacted: bool = Field(description="Whether it is somebody else's, of which only place and state are shown.")

    @classmethod
    def of(cls, item: QueueItem) -> "SessionQueueItemSummary":
        return cls(**_shown(item))


class ListedItem(SessionQueueItemSummary):
    """An item without its documents."""

    queue_id: str
    status_sequence: int = Field(description="Grows with each change of the status.")
    priority: int
    updated_at: str
    session_id: str
    board_id: str | None = Field(description="Where the results are to go.")
    attempt: int | None = Field(description="How often it was given to a worker.")
    retried_from_item_id: int | None
    workflow_call_id: str | None
    workflow_call_depth: int | None
    parent_session_id: str | None
    root_item_id: int | None
    error_type: str | None
    error_message: str | None
    error_traceback: str | None

    @classmethod
    def of(cls, item: QueueItem) -> "ListedItem":
        return cls(**_shown(item))


class SessionQueueItem(ListedItem):
    """An item with its documents."""

    session: dict[str, Any] = Field(description="The graph with the item's values in it, and what has come of it so far.")
    workflow: dict[str, Any] | None

    @classmethod
    def of_detail(cls, detail: QueueItemDetail) -> "SessionQueueItem":
        shown = _shown(detail.item)
        session = json_object(detail.session) or _empty_session(shown["session_id"])
        return cls(**shown, session=session, workflow=json_object(detail.workflow))


class ItemIdsResult(BaseModel):
    """The ids of a queue's items."""

    item_ids: list[int]
    total_count: int


class QueueItemSlice(BaseModel):
    """A part of a list; `next_cursor` gets the next part, with the same filters, and is null at the end."""

    items: list[ListedItem]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Slice[QueueItem]) -> "QueueItemSlice":
        return cls(items=[ListedItem.of(item) for item in found.items], next_cursor=found.next_cursor)


class QueueItemPosition(BaseModel):
    """Where a waiting item stands in the line."""

    item_id: int
    ahead: int = Field(description="How many items come before it.")
    seconds: float | None = Field(description="How long it is likely to wait; null where nothing tells yet.")

    @classmethod
    def of(cls, position: Position) -> "QueueItemPosition":
        return cls(item_id=position.item_id, ahead=position.ahead, seconds=position.seconds)


def _shown(item: QueueItem) -> dict[str, Any]:
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    if item.is_redacted:
        values |= {"user_id": REDACTED, "batch_id": REDACTED, "session_id": REDACTED, "priority": 0}
    if not can_be_sent(item.field_values):
        values["field_values"] = None
    return values


def _empty_session(session_id: str) -> dict[str, Any]:
    return fresh_session(session_id, {"id": session_id, "nodes": {}, "edges": []})
