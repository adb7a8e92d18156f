"""Servers of event streams: in this process, and in one of their own (`python -m benchmarks.events.serving`)."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

import tenantry
from benchmarks.queue.processes import Running
from tenantry import Studio
from tenantry.api.serve import WEBSOCKETS_COMPRESSED
from tenantry.events.bus import open_bus
from tenantry.events.sockets import SocketRules, SocketServer

__all__ = ["listening", "other_process", "streams"]

RULES = SocketRules(sockets_per_user=10_000)


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application as `tenantry serve` does; answers its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws_per_message_deflate=WEBSOCKETS_COMPRESSED)
        )
        task = asyncio.create_task(server.serve(sockets=[bound]))
        for _ in iter(lambda: server.started, True):
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def streams(studio: Studio, bus_url: str | None = None) -> AsyncIterator[tuple[SocketServer, str]]:
    """The event streams of a studio and their address."""
    secret = await studio.accounts.derived_secret("bus")
    async with (
        open_bus(bus_url, studio.listening_url, secret) as bus,
        SocketServer(studio, bus, RULES) as server,
        listening(server.app) as url,
    ):
        yield server, url
        await server.send_all_away()


@asynccontextmanager
async def other_process(database: str, bus_url: str | None) -> AsyncIterator[str]:
    """The address of event streams of the same studio in another process."""
    running = Running.start([sys.executable, "-m", "benchmarks.events.serving", database, bus_url or ""])
    try:
        yield await asyncio.to_thread(running.hear)
    finally:
        await asyncio.to_thread(running.end)


async def main(database: str, bus_url: str) -> None:
    """Say the address, and serve until the end of input."""
    async with tenantry.open(database) as studio, streams(studio, bus_url or None) as (_, url):
        await asyncio.sleep(0.5)
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
