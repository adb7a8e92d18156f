"""Handlers for workers in processes of their own: they note what they do in a file, and wait where the test says so.

`NOTES` is the file; `GATE` is a file that must exist before an item ends.
"""

import asyncio
import os
import time
from pathlib import Path

from tenantry.queue import Job
from tests.waiting import until, until_async


def note(*words: object) -> None:
    """One line, whole, whoever else writes."""
    line = " ".join(map(str, words)) + "\n"
    handle = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def gate_is_open() -> bool:
    """A file is what another process can open and everybody can see."""
    return Path(os.environ["GATE"]).exists()


async def at_once(job: Job) -> None:
    """Begin and end."""
    note("begin", time.monotonic_ns(), job.user_id, job.item.item_id)
    await asyncio.sleep(0)
    note("end", time.monotonic_ns(), job.user_id, job.item.item_id)


async def quiet(job: Job) -> None:
    """Begin and end, and note nothing."""
    await asyncio.sleep(0)


async def behind_the_gate(job: Job) -> None:
    """End once the gate is open."""
    note("begin", os.getpid(), job.item.item_id, job.item.lease.attempt)
    await until_async(gate_is_open)
    note("end", os.getpid(), job.item.item_id, job.item.lease.attempt)


def stubborn(job: Job) -> None:
    """In a thread, and deaf to being stopped: end once the gate is open."""
    note("begin", os.getpid(), job.item.item_id, job.item.lease.attempt)
    until(gate_is_open)
    note("end", os.getpid(), job.item.item_id, job.item.lease.attempt)


NOT_A_FUNCTION = 7
