"""Batches: putting them into the queue, and how they go."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Header

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import QueueOfPath
from tenantry.api.shapes.queue_batches import Batch, EnqueueBatchResult
from tenantry.api.shapes.queue_status import BatchStatus
from tenantry.errors import NotFound

__all__ = ["router"]

router = APIRouter(prefix="/queue/{queue_id}", tags=["queue"], responses=responses(HTTPStatus.UNAUTHORIZED))
_ENQUEUED = responses(
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="The same key with the same request again answers what became of the first one.",
    ),
]


@router.post("/enqueue_batch", operation_id="enqueue_batch", summary="Queue a batch", responses=_ENQUEUED)
async def enqueue_batch(
    caller: SignedIn,
    queue_id: QueueOfPath,
    batch: Annotated[Batch, Body()],
    prepend: Annotated[bool, Body(description="Whether it goes before all that waits.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> EnqueueBatchResult:
    """Queue all items of a batch, or none where one cannot be."""
    queued = batch.as_queued()
    async with caller.change() as work:
        made = await work.queue.enqueue(queued, queue_id=queue_id, prepend=prepend, idempotency_key=idempotency_key)
    return EnqueueBatchResult.of(made, batch)


@router.get(
    "/b/{batch_id}/status",
    operation_id="get_batch_status",
    summary="How a batch goes",
    responses=responses(HTTPStatus.NOT_FOUND),
)
async def get_batch_status(caller: SignedIn, queue_id: QueueOfPath, batch_id: str) -> BatchStatus:
    """The items of one's own batch by status."""
    async with caller.read() as work:
        status = await work.queue.batch_status(batch_id)
    if status.queue_id != queue_id:
        raise NotFound("batch")
    return BatchStatus.of(status)
