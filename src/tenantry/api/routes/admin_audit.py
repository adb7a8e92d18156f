"""The audit trail, for administrators."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tenantry.api.caller import Administrator
from tenantry.api.problems import responses
from tenantry.api.shapes.audit import AuditEntryDTO, AuditPage
from tenantry.repositories.audit import AuditQuery
from tenantry.repositories.notes import AuditAction
from tenantry.repositories.pages import MAX_LIMIT

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/audit", tags=["administration"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
)


def _filters(
    action: AuditAction | None = None,
    actor_id: Annotated[str | None, Query(description="Who did it.")] = None,
    subject_id: Annotated[str | None, Query(description="To whom.")] = None,
    address: Annotated[str | None, Query(description="The network address from which it was done.")] = None,
    since: Annotated[datetime | None, Query(description="From this moment on; UTC where no offset is given.")] = None,
    until: Annotated[datetime | None, Query(description="Before this moment.")] = None,
) -> AuditQuery:
    return AuditQuery(action, actor_id, subject_id, address, _aware(since), _aware(until))


@router.get("/", operation_id="list_audit_entries", summary="Read the audit trail")
async def list_audit_entries(
    caller: Administrator,
    query: Annotated[AuditQuery, Depends(_filters)],
    cursor: Annotated[str | None, Query(description="Where the part before ended.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> AuditPage:
    """What was done to accounts, and who got in or did not, newest first."""
    async with caller.read() as work:
        found = await work.audit.slice(query, cursor=cursor, limit=limit)
        named = {user_id for entry in found.items for user_id in (entry.actor_id, entry.subject_id) if user_id is not None}
        people = await work.users.get_many(sorted(named))
    return AuditPage(items=[AuditEntryDTO.of(entry, people) for entry in found.items], next_cursor=found.next_cursor)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
