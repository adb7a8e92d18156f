"""Event streams in the server: the bus, the Socket.IO server, and where they are reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from tenantry.events.bus import Bus, open_bus
from tenantry.events.sockets import SocketRules, SocketServer
from tenantry.settings import Settings
from tenantry.studio import Studio

__all__ = ["Streams", "bus_of", "end_streams", "event_streams", "served_streams"]


@asynccontextmanager
async def event_streams(app: FastAPI, studio: Studio, settings: Settings) -> AsyncIterator[SocketServer]:
    """Events for whoever connects, for as long as the block runs."""
    async with await bus_of(studio, settings) as bus, SocketServer(studio, bus, SocketRules.of(settings)) as server:
        app.state.streams = server
        yield server


async def bus_of(studio: Studio, settings: Settings) -> Bus:
    """The bus over which servers and workers hear of each other. Raises `InvalidInput` for a setting that names none."""
    return open_bus(settings.bus, studio.listening_url, await studio.accounts.derived_secret("bus"))


def served_streams(app: FastAPI) -> SocketServer | None:
    """The running server of event streams, if there is one."""
    server: SocketServer | None = getattr(app.state, "streams", None)
    return server


async def end_streams(app: FastAPI) -> None:
    """Send everybody away who is connected, where the server ever started."""
    if (server := served_streams(app)) is not None:
        await server.send_all_away()


class Streams:
    """The ASGI application of the Socket.IO server, which lives only while the server runs."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server: SocketServer = self._app.state.streams
        await server.app(scope, receive, send)
