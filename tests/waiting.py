"""Waiting for what another thread or task is about to do: polled, with a deadline, never a bare sleep."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

DEADLINE = 20.0
"""Seconds after which a test gives up."""


def until(condition: Callable[[], bool], *, deadline: float = DEADLINE, every: float = 0.001) -> None:
    """Block this thread until the condition holds, for so many seconds at most; `every` is the pause between two looks."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        pause.wait(every)


async def until_async(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        await asyncio.sleep(0.001)


async def until_awaited(condition: Callable[[], Awaitable[bool]], *, deadline: float = DEADLINE, every: float = 0.001) -> None:
    """Ask again and again until the condition holds, for so many seconds at most; `every` is the pause between two looks."""
    end = time.monotonic() + deadline
    while not await condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        await asyncio.sleep(every)
