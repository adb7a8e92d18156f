"""The audit trail: who did what to whom, from where and when. Entries are stored with what they tell of, and never changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database import timestamp
from tenantry.database.tables import audit_entries
from tenantry.repositories.base import Ground
from tenantry.repositories.notes import AuditAction, Note
from tenantry.repositories.pages import Slice, check_window, decode_cursor, encode_cursor
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.tenancy import InternalReason, Method, Principal

__all__ = ["AuditEntry", "AuditQuery", "AuditTrail", "store_notes"]

_DOING = "read the audit trail"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Somebody did something. The time is UTC text `YYYY-MM-DD HH:MM:SS.fff`.

    `actor_id` is None where nobody was known, and for the command line, whoever has a link, and Tenantry itself, which
    `method` tells.
    """

    entry_id: int
    created_at: str
    action: AuditAction
    actor_id: str | None
    subject_id: str | None
    method: Method
    key_id: str | None
    address: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries are wanted: all that fit everything that is given; `since` is included and `until` is not."""

    action: AuditAction | None = None
    actor_id: str | None = None
    subject_id: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        named = [(audit_entries.c[name], getattr(self, name)) for name in ("action", "actor_id", "subject_id", "address")]
        found: list[ColumnElement[bool]] = [column == value for column, value in named if value is not None]
        found += [] if self.since is None else [audit_entries.c.created_at >= timestamp(self.since)]
        found += [] if self.until is None else [audit_entries.c.created_at < timestamp(self.until)]
        return found


class AuditTrail(PrivilegedWrites):
    """What was done, for administrators; a tenant neither reads nor writes it, not even what is about them."""

    __slots__ = ()

    async def note(self, action: AuditAction, subject_id: str | None = None, **detail: bool) -> None:
        """Note what no repository does, such as a failed login; it is stored at the end of the unit of work."""
        self._only_privileged("write the audit trail")
        self._note(action, subject_id, **detail)

    async def slice(self, query: AuditQuery, *, cursor: str | None = None, limit: int = 100) -> Slice[AuditEntry]:
        """Entries after a cursor, newest first. Raises `InvalidCursor`, or `NotAllowed` for a tenant."""
        self._only_privileged(_DOING)
        check_window(limit)
        wanted = sa.select(*_COLUMNS).where(*query.conditions)
        if cursor is not None:
            created_at, entry_id = decode_cursor(cursor, "audit", query, (str, int))
            place = sa.tuple_(audit_entries.c.created_at, audit_entries.c.entry_id)
            wanted = wanted.where(place < sa.tuple_(sa.literal(created_at), sa.literal(entry_id)))
        newest_first = (audit_entries.c.created_at.desc(), audit_entries.c.entry_id.desc())
        rows = await self._all(wanted.order_by(*newest_first).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("audit", query, (last.created_at, last.entry_id)) if last is not None else None
        return Slice([_entry_from(row) for row in rows[:limit]], following)

    async def prune(self, before: datetime, most: int) -> int:
        """Delete up to `most` entries from before a moment; answers how many."""
        self._only_privileged("delete from the audit trail")
        old = sa.select(audit_entries.c.entry_id).where(audit_entries.c.created_at < timestamp(before))
        oldest = old.order_by(audit_entries.c.created_at).limit(most)
        return await self._do(sa.delete(audit_entries).where(audit_entries.c.entry_id.in_(oldest)))


async def store_notes(ground: Ground) -> None:
    """Store what the unit of work has noted, in its transaction."""
    if not ground.notes:
        return
    now = timestamp(ground.clock())
    async with ground.elevated(InternalReason.RECORD_AUDIT):
        for note in ground.notes:
            await ground.connection.execute(sa.insert(audit_entries).values(created_at=now, **_values(note, ground.principal)))


def _values(note: Note, principal: Principal) -> dict[str, object]:
    actor = principal.asked_by or principal
    nobody = actor.is_internal or actor.method in {Method.COMMAND_LINE, Method.LINK}
    return {
        "action": note.action.value,
        "actor_id": None if nobody else actor.user_id,
        "subject_id": note.subject_id,
        "method": actor.method.value,
        "key_id": actor.key_id,
        "address": actor.address,
        "detail": json.dumps(note.detail, separators=(",", ":")),
    }


_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(audit_entries.c[name] for name in AuditEntry.__slots__)


def _entry_from(row: Sequence[Any]) -> AuditEntry:
    entry_id, created_at, action, actor_id, subject_id, method, key_id, address, detail = row
    return AuditEntry(
        entry_id,
        created_at,
        AuditAction(action),
        actor_id,
        subject_id,
        Method(method),
        key_id,
        address,
        json.loads(detail),
    )
