"""The workers, for administrators."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.api.caller import Administrator, Caller
from tenantry.api.problems import responses
from tenantry.api.shapes.queue_administration import ForgottenWorkers, WorkerDTO

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/queue/workers",
    tags=["administration"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
_ONE = responses(HTTPStatus.NOT_FOUND)
Seconds = Annotated[float, Query(ge=0, le=366 * 86_400, description="Only those that expired so many seconds ago.")]


@router.get("", operation_id="list_workers", summary="List workers")
async def list_workers(caller: Administrator) -> list[WorkerDTO]:
    """Every worker, the oldest first, and those that were lost lately."""
    async with caller.read() as work:
        return [WorkerDTO.of(worker) for worker in await work.workers.all()]


@router.put("/{worker_id}/drain", operation_id="drain_worker", summary="Drain a worker", responses=_ONE)
async def drain_worker(caller: Administrator, worker_id: str) -> WorkerDTO:
    """Let a worker finish what it runs and take nothing more."""
    return await _drain(caller, worker_id, True)


@router.put("/{worker_id}/undrain", operation_id="undrain_worker", summary="Let a worker go on", responses=_ONE)
async def undrain_worker(caller: Administrator, worker_id: str) -> WorkerDTO:
    """Let a worker take items again."""
    return await _drain(caller, worker_id, False)


@router.delete("/expired", operation_id="forget_expired_workers", summary="Forget lost workers")
async def forget_expired_workers(caller: Administrator, seconds: Seconds = 0) -> ForgottenWorkers:
    """Show workers no more that were lost and hold nothing."""
    async with caller.change() as work:
        return ForgottenWorkers(forgotten=await work.workers.forget_expired(seconds))


async def _drain(caller: Caller, worker_id: str, draining: bool) -> WorkerDTO:
    async with caller.change() as work:
        await work.workers.drain(worker_id, draining=draining)
        return next(WorkerDTO.of(worker) for worker in await work.workers.all() if worker.worker_id == worker_id)
