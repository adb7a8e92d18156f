"""Batches over the wire, and what became of many items at once."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from tenantry import queue
from tenantry.api.shapes.common import MAX_NAMES, Label, can_be_sent
from tenantry.queue import Enqueued, Touched

__all__ = ["Batch", "BatchIds", "CanceledItems", "DeletedItems", "EnqueueBatchResult", "RetryItemsResult"]

T = TypeVar("T")

BatchIds = Annotated[list[Label], Field(max_length=MAX_NAMES)]

_AROUND = 16
"""How deep a document of a batch may come to stand: values within a graph, within a session, within a list of items."""


def _sendable(document: T) -> T:
    # Stored, it would have to be shown again.
    if not can_be_sent(document, within=_AROUND):
        raise ValueError("is nested too deeply, or has text that is not valid Unicode")
    return document


Document = Annotated[dict[str, Any], AfterValidator(_sendable)]
Values = Annotated[list[Any], AfterValidator(_sendable)]


class BatchDatum(BaseModel):
    """The values that a field of a node takes, one an item."""

    node_path: str = Field(description="The id of the node in the graph.")
    field_name: str
    items: Values = []


class Batch(BaseModel):
    """A graph, and the values to put into it; other members are ignored.

    Within a group of `data` values are zipped, across groups every combination is made, and all of it `runs` times.
    """

    batch_id: str | None = Field(None, description="A new id; made up where it is left out.")
    origin: str | None = Field(None, description="What asks for it, for the client's own use.")
    destination: str | None = Field(None, description="What it is for, for the client's own use.")
    data: list[list[BatchDatum]] | None = None
    graph: Document = Field(description="An object with `nodes` by their ids, and `edges`.")
    workflow: Document | None = None
    runs: int = Field(1, ge=1)
    board_id: str | None = Field(None, description="Where the results are to go.")
    open_fields: bool = Field(
        True,
        description="Whether values may be for fields that the graph's nodes do not show, as InvokeAI's clients send them; "
        "false refuses those.",
    )

    def as_queued(self) -> queue.Batch:
        """The batch that it describes. Raises `InvalidBatch`."""
        return queue.Batch(
            graph=self.graph,
            data=[[_datum(datum) for datum in group] for group in self.data or ()],
            runs=self.runs,
            workflow=self.workflow,
            origin=self.origin,
            destination=self.destination,
            board_id=self.board_id,
            batch_id=self.batch_id,
            open_fields=self.open_fields,
        )


def _datum(datum: BatchDatum) -> queue.BatchDatum:
    return queue.BatchDatum(node_path=datum.node_path, field_name=datum.field_name, items=datum.items)


class EnqueueBatchResult(BaseModel):
    """What became of a batch."""

    queue_id: str
    enqueued: int = Field(description="How many items wait now.")
    requested: int = Field(description="How many the batch makes.")
    batch: Batch
    priority: int
    item_ids: list[int] = Field(description="The batch's items, the last first.")

    @classmethod
    def of(cls, made: Enqueued, batch: Batch) -> "EnqueueBatchResult":
        return cls(
            queue_id=made.queue_id,
            enqueued=made.enqueued,
            requested=made.requested,
            batch=batch.model_copy(update={"batch_id": made.batch_id}),
            priority=made.priority,
            item_ids=list(reversed(made.item_ids)),
        )


class RetryItemsResult(BaseModel):
    """Which items were queued again, and by which new ones, each at the same place."""

    queue_id: str
    retried_item_ids: list[int] = Field(description="The roots of the call trees that the named items belong to.")
    new_item_ids: list[int]

    @classmethod
    def of(cls, queue_id: str, retried: dict[int, int]) -> "RetryItemsResult":
        return cls(queue_id=queue_id, retried_item_ids=list(retried), new_item_ids=list(retried.values()))


class CanceledItems(BaseModel):
    """How many items were canceled."""

    canceled: int

    @classmethod
    def of(cls, touched: Touched) -> "CanceledItems":
        return cls(canceled=touched.total)


class DeletedItems(BaseModel):
    """How many items are gone."""

    deleted: int

    @classmethod
    def of(cls, touched: Touched) -> "DeletedItems":
        return cls(deleted=touched.total)
