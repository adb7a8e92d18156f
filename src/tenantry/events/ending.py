"""How tasks are ended."""

import asyncio
from collections.abc import Collection
from typing import Any

__all__ = ["end"]


async def end(tasks: Collection[asyncio.Task[Any]], *, again: float = 0.3) -> None:
    """Cancel tasks until they have ended; `again` is the seconds between two times.

    Once is not enough, and a task group asks once: in Python 3.11 `asyncio.wait_for`, which the drivers use, swallows a
    cancellation that comes together with what it waits for.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=again)
    await asyncio.gather(*tasks, return_exceptions=True)
