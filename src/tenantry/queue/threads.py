"""Threads for handlers that are plain functions."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple

__all__ = ["Threads"]


class _Outcome(NamedTuple):
    result: object
    error: BaseException | None


class _Call(NamedTuple):
    function: Callable[[], object]
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[_Outcome]"


class Threads:
    """At most so many threads, each used again and again; one that never comes back keeps no process from ending."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0

    async def call(self, function: Callable[[], object]) -> object:
        """Call the function in one of the threads; raises what it raises. A caller that is cancelled does not end it."""
        loop = asyncio.get_running_loop()
        call = _Call(function, loop, loop.create_future())
        self._busy += 1
        try:
            if len(self._threads) < min(self._busy, self._most):
                thread = threading.Thread(target=self._work, name=f"tenantry-job-{len(self._threads)}", daemon=True)
                thread.start()
                self._threads.append(thread)
            self._calls.put(call)
            result, error = await call.answer
        finally:
            self._busy -= 1
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Let each thread end as soon as it has nothing to do."""
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                outcome = _Outcome(call.function(), None)
            except BaseException as error:
                outcome = _Outcome(None, error)
            with suppress(RuntimeError):
                # Nobody waits any more once the loop is closed.
                call.loop.call_soon_threadsafe(_answer, call.answer, outcome)
            del call, outcome


def _answer(answer: "asyncio.Future[_Outcome]", outcome: _Outcome) -> None:
    if not answer.done():
        answer.set_result(outcome)
