"""Acknowledgements: what a worker says of the items that it holds. A worker that lost its lease is not heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import ClassVar

import sqlalchemy as sa

from tenantry.database import timestamp
from tenantry.database.tables import queue_items, workers
from tenantry.errors import InvalidInput, LeaseLost
from tenantry.queue.base import shared_moment
from tenantry.queue.conditions import has_status
from tenantry.queue.items import Lease
from tenantry.queue.states import Status
from tenantry.queue.transitions import Move, Transitions
from tenantry.repositories.base import among
from tenantry.repositories.checks import check_json, check_text

__all__ = ["Acknowledgement", "Acknowledgements", "Canceled", "Completed", "Failed", "Released", "Suspended"]

_MAX_ERROR = 100_000
"""Characters of an error's text that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What became of an item; `session` is its session's JSON text, where execution has changed it."""

    after: ClassVar[Status]
    lease: Lease
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Acknowledgement):
    """It is done."""

    after: ClassVar[Status] = Status.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Canceled(Acknowledgement):
    """The worker gave it up for good."""

    after: ClassVar[Status] = Status.CANCELED


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Acknowledgement):
    """It could not be done."""

    after: ClassVar[Status] = Status.FAILED
    error_type: str
    error_message: str
    error_traceback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(Acknowledgement):
    """It waits for the workflows that it called."""

    after: ClassVar[Status] = Status.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Acknowledgement):
    """The worker gives it back, to be claimed again after so many seconds."""

    after: ClassVar[Status] = Status.PENDING
    wait: float = 0.0


class Acknowledgements(Transitions):
    """Each acknowledgement is fenced: it counts only while its worker holds the item in that attempt."""

    __slots__ = ()

    async def acknowledge(self, acknowledgements: Sequence[Acknowledgement]) -> list[Lease]:
        """Settle many at once, each by itself; answers the leases that were lost and whose results are discarded.

        Raises `InvalidInput` for a session that is not JSON or too large; nothing is settled then.
        """
        self._only_privileged("acknowledge items of the queue")
        by_status: dict[Status, list[Move]] = {}
        for each in acknowledgements:
            by_status.setdefault(each.after, []).append(self._move_of(each))
        if len(by_status) > 1:
            item_ids = sorted(each.lease.item_id for each in acknowledgements)
            await self._hold(among(self._dialect, queue_items.c.item_id, item_ids))
        settled: set[int] = set()
        async with self._counting_once():
            for after, moves in sorted(by_status.items()):
                settled |= {item.item_id for item in await self._move(Status.IN_PROGRESS, after, moves, fenced=True)}
        return [each.lease for each in acknowledgements if each.lease.item_id not in settled]

    async def complete(self, lease: Lease, *, session: str | None = None) -> None:
        """The item is done. Raises `LeaseLost`."""
        await self._acknowledge_one(Completed(lease=lease, session=session))

    async def fail(
        self,
        lease: Lease,
        error_type: str,
        error_message: str,
        error_traceback: str | None = None,
        *,
        session: str | None = None,
    ) -> None:
        """The item could not be done. Raises `LeaseLost`."""
        failed = Failed(
            lease=lease,
            session=session,
            error_type=error_type,
            error_message=error_message,
            error_traceback=error_traceback,
        )
        await self._acknowledge_one(failed)

    async def release(self, lease: Lease, *, wait: float = 0.0) -> None:
        """Give the item back. Raises `LeaseLost`."""
        await self._acknowledge_one(Released(lease=lease, wait=wait))

    async def suspend(self, lease: Lease, *, session: str) -> None:
        """The item waits for the workflows that it called. Raises `LeaseLost`."""
        await self._acknowledge_one(Suspended(lease=lease, session=session))

    async def save(self, lease: Lease, session: str) -> None:
        """Keep what execution has made of the session so far; no change of status. Raises `LeaseLost`."""
        self._only_privileged("save sessions")
        self._check_session(session)
        held = sa.exists().where(
            workers.c.worker_id == lease.worker_id, workers.c.expires_at > shared_moment(self._by_database)
        )
        change = (
            sa.update(queue_items)
            .where(
                queue_items.c.item_id == lease.item_id,
                queue_items.c.worker_id == lease.worker_id,
                queue_items.c.attempt == lease.attempt,
                has_status(queue_items.c, Status.IN_PROGRESS),
                held,
            )
            .values(session=session, updated_at=self._now())
        )
        if not await self._connection.execute(change, self._moment()):
            raise LeaseLost(lease.item_id)

    async def _acknowledge_one(self, acknowledgement: Acknowledgement) -> None:
        if await self.acknowledge([acknowledgement]):
            raise LeaseLost(acknowledgement.lease.item_id)

    def _move_of(self, each: Acknowledgement) -> Move:
        if each.session is not None:
            self._check_session(each.session)
        lease = each.lease
        move = Move(lease.item_id, lease.worker_id, lease.attempt, session=each.session)
        match each:
            case Failed():
                return move._replace(
                    error_type=_shown(each.error_type),
                    error_message=_shown(each.error_message),
                    error_traceback=_shown(each.error_traceback),
                )
            case Released(wait=wait) if wait > 0:
                until = timestamp(self._ground.clock().astimezone(UTC) + timedelta(seconds=wait))
                return move._replace(not_before=until)
        return move

    def _check_session(self, session: str) -> None:
        check_text(session, "session", most=self._rules.max_document_bytes)
        if len(session.encode()) > self._rules.max_document_bytes:
            raise InvalidInput(f"This is larger than {self._rules.max_document_bytes} bytes.", field="session")
        check_json(session, "session")


def _shown(text: str | None) -> str | None:
    """An error's text as it can be stored, whatever the program that failed put into it."""
    if text is None:
        return None
    return text[:_MAX_ERROR].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
