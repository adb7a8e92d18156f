"""What a server does beside answering requests: duties, each a step that is repeated for as long as the server runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from tenantry.database import timestamp
from tenantry.errors import TenantryError
from tenantry.repositories.login_attempts import FORGOTTEN_AFTER
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["Sweeping", "index_search", "prune_audit", "prune_events", "prune_logins", "recover_leases", "upkeep"]

_STEP = 50
"""Rows of one step of the text index; the writer is held for some 20 ms meanwhile."""

_SWEPT = 500
_SWEEP_EVERY = 60.0
_FORGOTTEN_AFTER = 86_400.0
"""Seconds after which a worker that was lost is not shown any more."""

_log = structlog.get_logger()

Step = Callable[[], Awaitable[bool]]
"""Does a little of what there is to do; whether there is more."""


@asynccontextmanager
async def upkeep(
    studio: Studio, *, idle: float = 2.0, event_hours: float = 24.0, audit_days: float = 365.0
) -> AsyncIterator[None]:
    """Do the server's duties for as long as the block runs.

    `idle` is the pause of the text index, in seconds; events are kept for `event_hours` and the audit trail for
    `audit_days`.
    """
    stopping = asyncio.Event()
    sweeping = Sweeping(studio)
    duties: list[tuple[str, Step, float]] = [
        ("leases", lambda: recover_leases(studio), studio.queue_rules.lease / 3),
        ("history", sweeping.step, _SWEEP_EVERY),
        ("logins", lambda: prune_logins(studio), _SWEEP_EVERY),
        ("audit", lambda: prune_audit(studio, timedelta(days=audit_days)), _SWEEP_EVERY),
        ("events", lambda: prune_events(studio, timedelta(hours=event_hours)), _SWEEP_EVERY),
    ]
    if studio.database.dialect == "sqlite":
        duties.append(("search-index", lambda: _index_step(studio), idle))
    tasks = [asyncio.create_task(_repeat(name, step, pause, stopping), name=f"tenantry-{name}") for name, step, pause in duties]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)


async def index_search(studio: Studio, *, most: int = _STEP) -> int:
    """Add up to `most` rows to the text index in a transaction of its own; answers how many."""
    async with studio.begin(Principal.internal(InternalReason.INDEX_SEARCH)) as work:
        return await work.search_index.index(most)


async def recover_leases(studio: Studio) -> bool:
    """Give the items of workers that are gone to others; whether there were any. The living keep what they run."""
    async with studio.begin(Principal.internal(InternalReason.WORK)) as work:
        recovered = await work.workers.recover_expired()
        await work.workers.forget_expired(_FORGOTTEN_AFTER)
    if recovered:
        _log.warning("workers were lost; their items are given out again", items=[item.item_id for item in recovered])
    return bool(recovered)


async def prune_events(studio: Studio, kept: timedelta) -> bool:
    """Delete a few of the events that are older than those that are kept; whether there may be more."""
    async with studio.begin(Principal.internal(InternalReason.DELIVER)) as work:
        before = timestamp(work.ground.clock() - kept)
        return await work.outbox.prune(before, _SWEPT) == _SWEPT


async def prune_audit(studio: Studio, kept: timedelta) -> bool:
    """Delete a few of the audit trail's entries that are older than those that are kept; whether there may be more."""
    async with studio.begin(Principal.internal(InternalReason.ADMINISTER_ACCOUNTS)) as work:
        return await work.audit.prune(work.ground.clock() - kept, _SWEPT) == _SWEPT


async def prune_logins(studio: Studio) -> bool:
    """Forget a few of the failed logins and links that no longer count; whether there may be more."""
    async with studio.begin(Principal.internal(InternalReason.AUTHENTICATE)) as work:
        before = work.ground.clock() - FORGOTTEN_AFTER
        pruned = await work.login_attempts.prune(before, _SWEPT), await work.account_links.prune(before, _SWEPT)
        return _SWEPT in pruned


class Sweeping:
    """Deletes the queue's history in small steps, and remembers how far it looked."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._last_batch = 0

    async def step(self) -> bool:
        """Delete a little; whether there is more."""
        async with self._studio.begin(Principal.internal(InternalReason.WORK)) as work:
            swept = await work.queue_administration.sweep(_SWEPT, after_batch=self._last_batch)
        self._last_batch = swept.last_batch
        return swept.total > 0


async def _repeat(name: str, step: Step, pause: float, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            more = await step()
        except TenantryError as error:
            _log.warning("a duty was not done", duty=name, error=str(error))
            more = False
        except Exception:
            # A defect of one duty must neither end it for good nor touch the others.
            _log.exception("a duty was not done", duty=name)
            more = False
        with suppress(TimeoutError):
            # Between two steps every other writer gets its turn.
            await asyncio.wait_for(stopping.wait(), 0 if more else pause)


async def _index_step(studio: Studio) -> bool:
    async with studio.read(Principal.internal(InternalReason.INDEX_SEARCH)) as work:
        if not await work.search_index.pending():
            return False
    return bool(await index_search(studio))
