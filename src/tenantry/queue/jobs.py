"""What a handler gets: the item, whether to go on, and ways to tell how far it is."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tenantry.errors import LeaseLost
from tenantry.queue.items import ClaimedItem
from tenantry.repositories.checks import check_json, check_text

__all__ = ["CancellationToken", "Handler", "Job", "JobProgress", "RetryLater", "Stopped"]

_PROGRESS_EVERY = 0.1
"""Seconds between two reports of progress at least; those between are left out."""

_LONGEST = 30 * 86_400


class RetryLater(Exception):
    """A handler raises this to give its item back, to be run again after so many seconds, a month at most.

    Raises `ValueError` for other times.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        if not 0 <= seconds <= _LONGEST:
            raise ValueError(f"An item waits 0 to {_LONGEST} seconds, not {seconds:g}.")
        self.seconds = seconds
        super().__init__(f"to be run again in {seconds:g} seconds")


class Stopped(Exception):
    """Raised by `CancellationToken.raise_if_set`: the job is not to go on."""


class CancellationToken:
    """Whether a job is to stop; set once, from any thread, with the reason."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.reason: str | None = None
        self._loop = loop
        self._in_threads = threading.Event()
        self._on_loop = asyncio.Event()

    def set(self, reason: str) -> None:
        """Tell the job to stop; the first reason counts."""
        if not self._in_threads.is_set():
            self.reason = reason
            self._in_threads.set()
            with suppress(RuntimeError):
                # On a loop that is closed nobody waits.
                self._loop.call_soon_threadsafe(self._on_loop.set)

    def is_set(self) -> bool:
        return self._in_threads.is_set()

    def raise_if_set(self) -> None:
        """Raise `Stopped` when the job is not to go on."""
        if self.is_set():
            raise Stopped(self.reason)

    async def wait(self) -> None:
        """Return when the job is to stop."""
        await self._on_loop.wait()

    def wait_in_thread(self, timeout: float | None = None) -> bool:
        """Block this thread until the job is to stop, or for so many seconds; whether it is."""
        return self._in_threads.wait(timeout)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: a fraction from 0 to 1, and a few words. Nothing keeps it."""

    item_id: int
    queue_id: str
    user_id: str
    fraction: float
    message: str


class Job:
    """An item on its way through a handler, at the place of `device` where the worker has devices."""

    def __init__(
        self,
        item: ClaimedItem,
        device: str | None,
        loop: asyncio.AbstractEventLoop,
        *,
        save: Callable[[ClaimedItem, str], Coroutine[Any, Any, None]],
        on_progress: Callable[[JobProgress], None] | None = None,
    ) -> None:
        self.item = item
        self.device = device
        self.canceled = CancellationToken(loop)
        self._loop = loop
        self._thread = threading.get_ident()
        self._save = save
        self._on_progress = on_progress
        self._told_at = float("-inf")
        self._told_end = False

    @property
    def graph(self) -> Mapping[str, Any]:
        """The graph to run, with the item's values in it; not to be changed."""
        return self.item.graph

    @property
    def field_values(self) -> list[dict[str, Any]]:
        """The values that were put into the graph: `node_path`, `field_name`, `value`."""
        return self.item.field_values

    @property
    def user_id(self) -> str:
        return self.item.user_id

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the job is, at most ten times a second, and its end once. Raises `LeaseLost` once it is to stop."""
        if self.canceled.is_set():
            raise LeaseLost(self.item.item_id)
        now = time.monotonic()
        is_end = fraction >= 1 and not self._told_end
        if self._on_progress is not None and (is_end or now - self._told_at >= _PROGRESS_EVERY):
            self._told_at, self._told_end = now, self._told_end or is_end
            told = min(max(fraction, 0.0), 1.0)
            self._on_progress(JobProgress(self.item.item_id, self.item.queue_id, self.user_id, told, message))

    async def save(self, session: str | Mapping[str, Any]) -> None:
        """Keep the session so far; another attempt would go on from it. Raises `LeaseLost` and `InvalidInput`."""
        await self._save(self.item, as_session(session))

    def save_now(self, session: str | Mapping[str, Any]) -> None:
        """Like `save`, for a handler in a thread. Raises `RuntimeError` in the worker's own, which it would block for ever."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("Await `save` here; `save_now` is for handlers that run in a thread.")
        asyncio.run_coroutine_threadsafe(self.save(session), self._loop).result()


Handler = Callable[[Job], Coroutine[Any, Any, object]] | Callable[[Job], object]
"""Runs one item. What it returns, JSON text or an object, becomes the item's session; None leaves it as it is."""


def as_session(result: object) -> str:
    """A handler's result as JSON text that can be stored. Raises `InvalidInput`, `ValueError` or `TypeError`."""
    if isinstance(result, str):
        check_json(result, "session")
        return result
    if isinstance(result, Mapping):
        return check_text(json.dumps(result, ensure_ascii=False, allow_nan=False), "session")
    raise TypeError(f"A handler returns None, JSON text or an object, not {type(result).__name__}.")
