"""Queue items as values, and how rows become them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tenantry.queue.sessions import Template, brought_graph, brought_values, fresh_session, session_id_of
from tenantry.queue.states import Status

__all__ = ["ClaimedItem", "Lease", "QueueItem", "QueueItemDetail"]


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on an item: good for this attempt alone, until it expires."""

    item_id: int
    worker_id: str
    attempt: int


@dataclass(frozen=True)
class ClaimedItem:
    """An item that a worker has to run.

    `stored_session` is the session's JSON text where the item has one of its own; else it is built from the template.
    Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`.
    """

    lease: Lease
    template: Template | None = field(repr=False)
    queue_id: str
    user_id: str
    user_display_name: str | None
    user_email: str | None
    batch_id: str
    origin: str | None
    destination: str | None
    board_id: str | None
    priority: int
    status_sequence: int
    claim_number: int
    device: str | None
    created_at: str
    started_at: str
    retried_from_item_id: int | None
    parent_item_id: int | None
    root_item_id: int | None
    workflow: str | None
    stored_field_values: str | None = field(repr=False)
    stored_session: str | None = field(repr=False)
    stored_session_id: str | None = field(repr=False)
    session_base: int = field(repr=False)

    @property
    def item_id(self) -> int:
        return self.lease.item_id

    @property
    def session_id(self) -> str:
        return self.stored_session_id or session_id_of(self.session_base, self.item_id)

    @cached_property
    def field_values(self) -> list[dict[str, Any]]:
        """The values that were put into the graph: `node_path`, `field_name`, `value`."""
        if self.template is None:
            return brought_values(self.stored_field_values) or []
        return self.template.field_values(json.loads(self.stored_field_values or "[]"))

    @cached_property
    def graph(self) -> Mapping[str, Any]:
        """The graph to run, with the item's values in it; not to be changed, since items share what they have in common."""
        if self.template is None:
            return brought_graph(self.stored_session)
        return self.template.filled(json.loads(self.stored_field_values or "[]"))

    @property
    def session(self) -> str:
        """The session's JSON text, as InvokeAI executes it."""
        if self.stored_session is not None:
            return self.stored_session
        return json.dumps(fresh_session(self.session_id, self.graph), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class QueueItem:
    """An item of the queue. All that could tell whose it is or what it makes is None where `is_redacted`.

    Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`.
    """

    item_id: int
    queue_id: str
    status: Status
    status_sequence: int
    device: str | None
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None
    is_redacted: bool
    user_id: str | None
    user_display_name: str | None
    user_email: str | None
    batch_id: str | None
    session_id: str | None
    priority: int | None
    origin: str | None
    destination: str | None
    board_id: str | None
    attempt: int | None
    retried_from_item_id: int | None
    workflow_call_id: str | None
    workflow_call_depth: int | None
    parent_item_id: int | None
    parent_session_id: str | None
    root_item_id: int | None
    error_type: str | None
    error_message: str | None
    error_traceback: str | None
    field_values: list[dict[str, Any]] | None
    """What was put into the graph: `node_path`, `field_name`, `value`."""


@dataclass(frozen=True, slots=True)
class QueueItemDetail:
    """An item with its documents, as JSON text."""

    item: QueueItem
    workflow: str | None
    session: str | None
