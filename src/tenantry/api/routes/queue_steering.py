"""What administrators decide about queues and users: pauses, limits, and what is kept; from the next claim or batch on."""

from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import Administrator, Caller
from tenantry.api.problems import responses
from tenantry.api.routes.queue_filters import QueueOfPath
from tenantry.api.shapes.queue_administration import QueueLimits, QueueSettings, QueueSettingsChange, UserLimits
from tenantry.api.shapes.queue_status import SessionProcessorStatus

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/queue",
    tags=["administration"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
_OF_USER = responses(HTTPStatus.NOT_FOUND)


@router.put("/q/{queue_id}/pause", operation_id="pause_queue", summary="Pause a queue")
async def pause_queue(caller: Administrator, queue_id: QueueOfPath) -> SessionProcessorStatus:
    """Give nothing of a queue out any more, or of any for `*`; what runs goes on."""
    async with caller.change() as work:
        await work.queue_administration.pause(queue_id)
        return SessionProcessorStatus.of(await work.queue.status(queue_id))


@router.put("/q/{queue_id}/resume", operation_id="resume_queue", summary="Let a queue go on")
async def resume_queue(caller: Administrator, queue_id: QueueOfPath) -> SessionProcessorStatus:
    """Let a paused queue go on; one that was paused with all others goes on with `*`."""
    async with caller.change() as work:
        await work.queue_administration.resume_queue(queue_id)
        return SessionProcessorStatus.of(await work.queue.status(queue_id))


@router.get("/q/{queue_id}/settings", operation_id="get_queue_settings", summary="Get what is decided about a queue")
async def get_queue_settings(caller: Administrator, queue_id: QueueOfPath) -> QueueSettings:
    async with caller.read() as work:
        return QueueSettings.of(await work.queue_administration.settings(queue_id))


@router.put("/q/{queue_id}/settings", operation_id="set_queue_settings", summary="Decide how much a queue holds and keeps")
async def set_queue_settings(caller: Administrator, queue_id: QueueOfPath, settings: QueueSettingsChange) -> QueueSettings:
    """Replace how many items may wait, and how many that have ended are kept and for how long."""
    async with caller.change() as work:
        administration = work.queue_administration
        await administration.set_capacity(queue_id, max_pending=settings.max_pending)
        await administration.set_history(queue_id, keep_items=settings.keep_items, keep_days=settings.keep_days)
        return QueueSettings.of(await administration.settings(queue_id))


@router.get("/limits", operation_id="get_queue_limits", summary="Get everybody's limits")
async def get_queue_limits(caller: Administrator) -> QueueLimits:
    """What holds for each user who has no exception."""
    async with caller.read() as work:
        return QueueLimits.of(await work.queue_administration.defaults())


@router.put("/limits", operation_id="set_queue_limits", summary="Set everybody's limits")
async def set_queue_limits(caller: Administrator, limits: QueueLimits) -> QueueLimits:
    """Replace what holds for each user who has no exception."""
    async with caller.change() as work:
        await work.queue_administration.set_defaults(limits.as_limits())
        return QueueLimits.of(await work.queue_administration.defaults())


@router.get("/users/{user_id}/limits", operation_id="get_user_limits", summary="Get a user's limits", responses=_OF_USER)
async def get_user_limits(caller: Administrator, user_id: str) -> UserLimits:
    """What is set for a user, what holds for them, and whether they are paused."""
    async with caller.read() as work:
        return UserLimits.of(await work.queue_administration.of_user(user_id))


@router.put("/users/{user_id}/limits", operation_id="set_user_limits", summary="Set a user's limits", responses=_OF_USER)
async def set_user_limits(caller: Administrator, user_id: str, limits: QueueLimits) -> UserLimits:
    """Replace a user's exceptions from what holds for everybody."""
    async with caller.change() as work:
        await work.queue_administration.set_for_user(user_id, limits.as_limits())
        return UserLimits.of(await work.queue_administration.of_user(user_id))


@router.put("/users/{user_id}/pause", operation_id="pause_user", summary="Pause a user", responses=_OF_USER)
async def pause_user(caller: Administrator, user_id: str) -> UserLimits:
    """Give nothing of a user's out any more, in any queue; what runs goes on."""
    return await _set_paused(caller, user_id, True)


@router.put("/users/{user_id}/resume", operation_id="resume_user", summary="Let a user go on", responses=_OF_USER)
async def resume_user(caller: Administrator, user_id: str) -> UserLimits:
    """Give a user's items out again."""
    return await _set_paused(caller, user_id, False)


async def _set_paused(caller: Caller, user_id: str, paused: bool) -> UserLimits:
    async with caller.change() as work:
        await work.queue_administration.pause_user(user_id, paused=paused)
        return UserLimits.of(await work.queue_administration.of_user(user_id))
