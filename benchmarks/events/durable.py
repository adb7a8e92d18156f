"""Stored events on their way: how many a second, and how long each takes from its commit to a client."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import tenantry
from benchmarks.events.crowd import Crowd, crowd
from benchmarks.events.people import Person, register
from benchmarks.events.serving import other_process, streams
from benchmarks.events.table import Figure
from benchmarks.queue.dataset import INTERNAL, batch
from tenantry import Principal, Studio
from tenantry.queue import Completed, UnitOfWork

__all__ = ["measure_durable", "measure_latency"]

T = TypeVar("T")

ITEMS, SLOTS = 5_000, 500
CHANGES, POLLED_CHANGES = 200, 60
PAUSE = 0.05
"""Seconds between two changes at most; at random, so that they do not keep step with whoever polls."""


async def measure_durable(name: str, url: str) -> list[Figure]:
    """The rate of an administrator's socket while a worker of the same process runs items, and latency in this process."""
    async with (
        _opened(url) as (studio, person),
        streams(studio) as (_, address),
        crowd(address, [{"token": person.token}]) as clients,
    ):
        rate = await _rate(studio, person, clients)
        latency = await _latency(studio, person, clients, CHANGES)
    return [
        Figure(f"{name}: stored events a second, with what they tell of", rate),
        *_latency_figures(f"{name}, one process", latency),
    ]


async def measure_latency(name: str, url: str, bus_url: str | None = None, *, changes: int = CHANGES) -> list[Figure]:
    """From a commit in this server process to a client of another."""
    async with (
        _opened(url) as (studio, person),
        streams(studio, bus_url),
        other_process(url, bus_url) as address,
        crowd(address, [{"token": person.token}]) as clients,
    ):
        latency = await _latency(studio, person, clients, changes)
    return _latency_figures(f"two processes over {name}", latency)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[tuple[Studio, Person]]:
    async with tenantry.open(url, migrate=True) as studio:
        yield studio, await register(studio, 0, is_admin=True)


async def _rate(studio: Studio, person: Person, clients: Crowd) -> float:
    """A worker claims and completes items by hundreds; each is an event when it begins and one when it ends."""
    await _do(studio, person.principal, lambda work: work.queue.enqueue(batch(ITEMS)))
    await clients.has()
    worker = await _do(studio, INTERNAL, lambda work: work.workers.register("bench", host="h", process=1))
    begun = time.monotonic()
    working = asyncio.create_task(_work(studio, worker))
    ended = await clients.has(ITEMS * 2)
    await working
    return ITEMS * 2 / (ended - begun)


async def _work(studio: Studio, worker: str) -> None:
    for _ in range(ITEMS // SLOTS):
        items = await _do(studio, INTERNAL, lambda work: work.dispatch.claim(worker, devices=(None,) * SLOTS))
        ended = [Completed(lease=item.lease) for item in items]
        await _do(studio, INTERNAL, partial(_acknowledge, ended))


def _acknowledge(ended: list[Completed], work: UnitOfWork) -> Coroutine[Any, Any, object]:
    return work.dispatch.acknowledge(ended)


async def _latency(studio: Studio, person: Person, clients: Crowd, changes: int) -> list[float]:
    taken = []
    for _ in range(changes):
        await asyncio.sleep(random.uniform(0, PAUSE))
        request = batch(1)
        await _do(studio, person.principal, lambda work, request=request: work.queue.enqueue(request))  # type: ignore[misc]
        committed = time.monotonic()
        taken.append((await clients.has() - committed) * 1_000)
    return taken


async def _do(studio: Studio, who: Principal, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T:
    async with studio.begin(who) as work:
        return await operation(work)


def _latency_figures(name: str, taken: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}: commit to client, p50 ms", statistics.median(taken)),
        Figure(f"{name}: commit to client, p99 ms", statistics.quantiles(taken, n=100)[-1]),
    ]
