"""Clients in a process of their own, as whoever measures sees them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.queue.processes import Running

__all__ = ["Crowd", "crowd"]

_SETTLING = 0.3
"""Seconds until a server has greeted those who came last and given them their rooms."""


class Crowd:
    """Connected clients."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def has(self, messages: int = 1) -> float:
        """Wait until every client has so many more messages; answers when that was, by `time.monotonic`."""
        return await asyncio.to_thread(self._hear, messages)

    def _hear(self, messages: int) -> float:
        return [float(self._running.hear()) for _ in range(messages)][-1]


@asynccontextmanager
async def crowd(url: str, auths: Sequence[object]) -> AsyncIterator[Crowd]:
    """A client of the server at `url` for each of `auths`."""
    running = Running.start([sys.executable, "-m", "benchmarks.events.clients"])
    try:
        running.told.write(json.dumps({"url": url, "auths": auths}) + "\n")
        running.told.flush()
        await asyncio.to_thread(running.hear)
        await asyncio.sleep(_SETTLING)
        yield Crowd(running)
    finally:
        await asyncio.to_thread(running.end)
