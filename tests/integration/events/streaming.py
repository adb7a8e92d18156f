"""A server of event streams on a port of its own, and clients that note what they get."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import socketio
import uvicorn

from tenantry import Studio
from tenantry.events.bus import Bus
from tenantry.events.sockets import SocketRules, SocketServer
from tests.waiting import until_async

__all__ = ["Client", "Streaming", "streaming"]


@dataclass
class Client:
    """A client and the messages that it got: name and payload."""

    socket: socketio.AsyncClient
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What came, without the greeting."""
        return [name for name, _ in self.got if name != "connected"]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The payloads of one kind of message."""
        return [payload for other, payload in self.got if other == name]

    @property
    def last_event_id(self) -> str:
        return str(self.got[-1][1]["event_id"])

    async def until(self, *names: str) -> None:
        """Wait until exactly these came, in this order."""
        await until_async(lambda: len(self.names) >= len(names))
        assert self.names == list(names)


@dataclass
class Streaming:
    """A running server; `connect` opens clients to it, which are closed with it."""

    url: str
    server: SocketServer
    clients: list[Client] = field(default_factory=list)

    async def connect(self, token: str | None, *, transport: str = "websocket", **auth: object) -> Client:
        """A client of the token's user. Raises `socketio.exceptions.ConnectionError` when it is refused."""
        client = Client(socketio.AsyncClient(reconnection=False, handle_sigint=False))

        async def note(name: str, payload: dict[str, Any]) -> None:
            client.got.append((name, payload))

        client.socket.on("*", note)
        await client.socket.connect(
            self.url, auth={"token": token, **auth}, socketio_path="/ws/socket.io", transports=[transport]
        )
        self.clients.append(client)
        await until_async(lambda: bool(client.got))
        return client

    async def close(self) -> None:
        """Close the clients by themselves, but those that poll from here, since they would wait for their last poll."""
        for client in self.clients:
            if client.socket.transport() == "websocket":
                await client.socket.disconnect()
        await self.server.send_all_away()
        await until_async(lambda: not any(client.socket.connected for client in self.clients))


@asynccontextmanager
async def streaming(studio: Studio, bus: Bus, rules: SocketRules | None = None, *, port: int = 0) -> AsyncIterator[Streaming]:
    """Event streams of a studio on a port; 0: a free one."""
    async with SocketServer(studio, bus, rules or SocketRules()) as server:
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", port))
            serving = uvicorn.Server(uvicorn.Config(server.app, log_config=None, lifespan="off", ws="websockets-sansio"))
            task = asyncio.create_task(serving.serve(sockets=[listening]))
            await until_async(lambda: serving.started)
            running = Streaming(f"http://127.0.0.1:{listening.getsockname()[1]}", server)
            try:
                yield running
            finally:
                await running.close()
                serving.should_exit = True
                await task
