"""One event to a thousand sockets of one process, beside python-socketio's own emit to a room of as many."""

import gc
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psutil
import socketio

import tenantry
from benchmarks.events.crowd import Crowd, crowd
from benchmarks.events.people import CHEAP, Person, register
from benchmarks.events.serving import listening, streams
from benchmarks.events.table import Figure
from benchmarks.queue.dataset import batch
from tenantry import Studio
from tenantry.events.audience import Delivery, Reach, forms_of
from tenantry.events.sockets import SocketServer
from tenantry.events.types.queue import BatchEnqueued

__all__ = ["measure_fan_out"]

SOCKETS, USERS = 1_000, 50
EVENTS, ROUNDS = 20, 9
SHARE = 0.7
"""Of the bare library's throughput at least."""

MEMORY = 100
"""Kilobytes of an idle socket at most."""


async def measure_fan_out() -> list[Figure]:
    """The figures of a thousand sockets of fifty users, all of which have subscribed to one queue, on SQLite."""
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder:
        async with (
            tenantry.open(f"sqlite:///{folder}/events.db", account_rules=CHEAP) as studio,
            streams(studio) as (server, url),
        ):
            people = [await register(studio, number) for number in range(USERS)]
            auths = [{"token": person.token, "queue_ids": ["default"]} for person in people] * (SOCKETS // USERS)
            idle = _resident()
            async with crowd(url, auths) as clients:
                memory = (_resident() - idle) / SOCKETS / 1024
                one = statistics.median([await _one_change(studio, people[0], clients) for _ in range(ROUNDS)])
                copies = await _beside_the_library(server, people[0], clients)
    return [
        Figure("one change: commit to the last of 1,000 sockets, ms", one * 1_000),
        copies,
        Figure("memory of an idle socket, KB", memory, limit=MEMORY, less_is_better=True),
    ]


async def _one_change(studio: Studio, who: Person, clients: Crowd) -> float:
    async with studio.begin(who.principal) as work:
        await work.queue.enqueue(batch(1))
    committed = time.monotonic()
    return await clients.has() - committed


async def _beside_the_library(server: SocketServer, owner: Person, clients: Crowd) -> Figure:
    """Both in turn, so that they are compared under the same load; the first pair only warms up."""
    delivery = _delivery(owner)
    payload = delivery.forms[1].event.model_dump(mode="json")
    taken = []
    async with _library() as (bare, url), crowd(url, [{}] * SOCKETS) as others:
        for _ in range(ROUNDS + 1):
            ours = await _seconds(lambda: server.sending.deliver(delivery), clients)
            theirs = await _seconds(lambda: bare.emit("batch_enqueued", payload, room="all"), others)
            taken.append((ours, theirs))
    copies = [SOCKETS * EVENTS / statistics.median(side) for side in zip(*taken[1:], strict=True)]
    ratio = statistics.median(theirs / ours for ours, theirs in taken[1:])
    return Figure("copies a second to 1,000 sockets, beside python-socketio", copies[0], copies[1], ratio, SHARE)


async def _seconds(send: Callable[[], Awaitable[None]], clients: Crowd) -> float:
    """How long it takes until the last client has the last of some events."""
    begun = time.monotonic()
    for _ in range(EVENTS):
        await send()
    return await clients.has(EVENTS) - begun


@asynccontextmanager
async def _library() -> AsyncIterator[tuple[socketio.AsyncServer, str]]:
    """python-socketio by itself, with everybody in one room."""
    server = socketio.AsyncServer(async_mode="asgi")

    async def join(sid: str, _: object, __: object = None) -> None:
        await server.enter_room(sid, "all")

    server.on("connect", join)
    async with listening(socketio.ASGIApp(server, socketio_path="/ws/socket.io")) as url:
        yield server, url
        await server.shutdown()


def _delivery(owner: Person) -> Delivery:
    event = BatchEnqueued(
        timestamp=int(time.time()),
        event_id="0123456789abcdef.0",
        queue_id="default",
        batch_id="00000000-0000-4000-8000-000000000000",
        enqueued=1,
        requested=1,
        priority=0,
        origin="canvas",
        user_id=owner.principal.user_id,
    )
    return Delivery(forms_of(event, Reach(owner.principal.user_id, queue_id="default")), 1)


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
