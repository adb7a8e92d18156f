"""How the queue goes, and whether it runs."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.api.caller import Administrator, SignedIn
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import QueueOfPath
from tenantry.api.shapes.queue_status import (
    SessionProcessorStatus,
    SessionQueueAndProcessorStatus,
    SessionQueueCountsByDestination,
    SessionQueueStatus,
)

__all__ = ["router"]

router = APIRouter(prefix="/queue/{queue_id}", tags=["queue"], responses=responses(HTTPStatus.UNAUTHORIZED))
_STEERED = responses(HTTPStatus.FORBIDDEN)


@router.get("/status", operation_id="get_queue_status", summary="How the queue goes")
async def get_queue_status(caller: SignedIn, queue_id: QueueOfPath) -> SessionQueueAndProcessorStatus:
    """Everybody's items by status, how many of them are one's own, and whether the queue is paused."""
    async with caller.read() as work:
        status = await work.queue.status(queue_id)
    return SessionQueueAndProcessorStatus(queue=SessionQueueStatus.of(status), processor=SessionProcessorStatus.of(status))


@router.get("/counts_by_destination", operation_id="counts_by_destination", summary="Count what is for a destination")
async def counts_by_destination(
    caller: SignedIn, queue_id: QueueOfPath, destination: Annotated[str, Query(description="What they are for.")]
) -> SessionQueueCountsByDestination:
    """One's own items for a destination by status; an administrator's count is of everybody's."""
    async with caller.read() as work:
        counts = await work.queue.destination_counts(destination, queue_id)
    return SessionQueueCountsByDestination.of(queue_id, destination, counts)


@router.put("/processor/pause", operation_id="pause", summary="Pause the queue", responses=_STEERED)
async def pause(caller: Administrator, queue_id: QueueOfPath) -> SessionProcessorStatus:
    """Give nothing more out; what runs goes on."""
    async with caller.change() as work:
        await work.queue_administration.pause(queue_id)
        return SessionProcessorStatus.of(await work.queue.status(queue_id))


@router.put("/processor/resume", operation_id="resume", summary="Let the queue go on", responses=_STEERED)
async def resume(caller: Administrator, queue_id: QueueOfPath) -> SessionProcessorStatus:
    """Give items out again."""
    async with caller.change() as work:
        await work.queue_administration.resume_queue(queue_id)
        return SessionProcessorStatus.of(await work.queue.status(queue_id))
