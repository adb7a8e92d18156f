"""Wake-up: whoever waits for work learns of it at once, in this process and, on PostgreSQL, in others.

A notification is a hint: it may be lost, and does not say what it is about. Looking by oneself now and then is the truth.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

import sqlalchemy as sa
import structlog

from tenantry.database import Connection
from tenantry.queue.changes import BatchEnqueued, ItemChanged, ItemsDeleted, ItemsRetried, QueuePaused, UserPaused, makes_work
from tenantry.queue.ground import QueueGround
from tenantry.queue.states import Status
from tenantry.repositories.changes import Change

__all__ = ["CHANNEL", "Wakeup", "announce"]

CHANNEL = "tenantry_queue"
_WORK, _ENDED = "work", "ended"

_ALIVE = 10.0
"""Seconds between two looks whether the listening connection still lives."""

_BACKOFF = (0.1, 10.0)
"""Seconds before the first and, doubled each time, at most before another try to connect."""

_log = structlog.get_logger()


async def announce(connection: Connection, changes: Sequence[Change]) -> None:
    """Tell other processes, with the commit of this transaction, that there is work or that something running was ended.

    Only on PostgreSQL, and only of what they could not wait for: commits that notify come one after the other.
    """
    if connection.dialect != "postgresql":
        return
    kinds = [kind for kind, concerns in ((_WORK, _brings_work), (_ENDED, _ends_running)) if any(map(concerns, changes))]
    if kinds:
        await connection.fetch_value(sa.select(sa.func.pg_notify(CHANNEL, " ".join(kinds))))


class Wakeup:
    """Sets `work` when there may be something to claim and `ended` when something that runs may have been ended.

    Use it in an `async with` block on the loop that waits.
    """

    def __init__(self, studio: QueueGround) -> None:
        self.work = asyncio.Event()
        self.ended = asyncio.Event()
        self._studio = studio

    async def __aenter__(self) -> "Wakeup":
        self._loop = asyncio.get_running_loop()
        self._stop_listening = self._studio.listen(self._hear)
        url = self._studio.listening_url
        self._listener = None if url is None else asyncio.create_task(self._listen(url), name="tenantry-listener")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop_listening()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    def _hear(self, changes: tuple[Change, ...]) -> None:
        """What a unit of work of this process has changed; called in its thread."""
        work, ended = any(map(makes_work, changes)), any(map(_ends_running, changes))
        if work or ended:
            with suppress(RuntimeError):
                # The loop may be closed by now.
                self._loop.call_soon_threadsafe(self._wake, work, ended)

    def _wake(self, work: bool, ended: bool) -> None:
        if work:
            self.work.set()
        if ended:
            self.ended.set()

    async def _listen(self, url: str) -> None:
        """Hold a connection of our own, never one of the pool, and connect anew when it is lost."""
        wait = _BACKOFF[0]
        while True:
            begun = time.monotonic()
            try:
                await self._listen_once(url)
            except Exception as error:
                _log.warning("notifications are cut off; looking for work by the clock", error=type(error).__name__)
            if time.monotonic() > begun + _ALIVE:
                wait = _BACKOFF[0]
            await asyncio.sleep(wait)
            wait = min(wait * 2, _BACKOFF[1])

    async def _listen_once(self, url: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(url, timeout=_ALIVE, server_settings={"application_name": "tenantry worker"})
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._notified)
            # Whatever was told meanwhile was missed.
            self._wake(work=True, ended=True)
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _ALIVE)
                    return
                await connection.execute("SELECT 1", timeout=_ALIVE)
        finally:
            connection.terminate()

    def _notified(self, _: Any, __: int, ___: str, payload: str) -> None:
        kinds = payload.split()
        self._wake(_WORK in kinds, _ENDED in kinds)


def _brings_work(change: Change) -> bool:
    match change:
        case BatchEnqueued() | ItemsRetried():
            return True
        case ItemChanged():
            return change.after is Status.PENDING
        case QueuePaused() | UserPaused():
            return not change.paused
    return False


def _ends_running(change: Change) -> bool:
    match change:
        case ItemChanged():
            return change.before is Status.IN_PROGRESS and change.after is Status.CANCELED
        case ItemsDeleted():
            # Items may be deleted while they run, without being canceled first.
            return True
    return False
