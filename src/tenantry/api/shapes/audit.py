"""The audit trail over the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tenantry.api.shapes.common import moment
from tenantry.repositories import User
from tenantry.repositories.audit import AuditEntry
from tenantry.repositories.notes import AuditAction
from tenantry.tenancy import Method

__all__ = ["AuditEntryDTO", "AuditPage"]


class AuditEntryDTO(BaseModel):
    """Somebody did something to somebody."""

    entry_id: int
    created_at: datetime = Field(description="UTC.")
    action: AuditAction
    actor_id: str | None = Field(None, description="Who did it; null where nobody was known, and for the command line.")
    actor_email: str | None = Field(None, description="Their address of today; null once they are gone.")
    subject_id: str | None = Field(None, description="To whom.")
    subject_email: str | None = None
    method: Method = Field(description="How the actor proved who they are.")
    key_id: str | None = Field(None, description="The API key that the actor used.")
    address: str | None = Field(None, description="The network address from which it was done.")
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry, people: Mapping[str, User]) -> "AuditEntryDTO":
        actor, subject = (people.get(user_id or "") for user_id in (entry.actor_id, entry.subject_id))
        return cls(
            entry_id=entry.entry_id,
            created_at=moment(entry.created_at),
            action=entry.action,
            actor_id=entry.actor_id,
            actor_email=actor.email if actor else None,
            subject_id=entry.subject_id,
            subject_email=subject.email if subject else None,
            method=entry.method,
            key_id=entry.key_id,
            address=entry.address,
            detail=entry.detail,
        )


class AuditPage(BaseModel):
    """A part of the audit trail, newest first."""

    items: list[AuditEntryDTO]
    next_cursor: str | None = Field(description="Gives the next part; null at the end.")
