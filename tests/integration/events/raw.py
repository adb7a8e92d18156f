"""A client of the wire protocol itself, which reads only when it is told to, and says whatever it likes."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["RawClient", "raw_client"]

PATH = "/ws/socket.io/?EIO=4&transport=websocket"


class RawClient:
    """Messages of Socket.IO over a websocket, one by one."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def say(self, packet: str | bytes) -> None:
        await self._connection.send(packet)

    async def next(self) -> tuple[str, Any]:
        """The next event. Raises `ConnectionClosed`."""
        name, payload = json.loads(await self._packet("42"))
        return name, payload

    async def answer(self) -> Any:
        """The answer to the message that was sent with the number 7."""
        return json.loads(await self._packet("437"))

    async def _packet(self, kind: str) -> str:
        """What the next packet of a kind says; the server's pings are answered meanwhile."""
        while not (packet := str(await self._connection.recv())).startswith(kind):
            if packet == "2":
                await self.say("3")
        return packet.removeprefix(kind)


@asynccontextmanager
async def raw_client(url: str, token: str) -> AsyncIterator[RawClient]:
    """A client of the token's user that has been greeted, and holds as little unread as the system lets it."""
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(True)
        narrow.connect((urlsplit(url).hostname, urlsplit(url).port))
        narrow.setblocking(False)
        async with connect(
            url.replace("http", "ws") + PATH,
            sock=narrow,
            compression=None,
            max_queue=1,
            max_size=None,
            ping_interval=None,
            close_timeout=0.1,
            proxy=None,
        ) as connection:
            client = RawClient(connection)
            await client.say("40" + json.dumps({"token": token}))
            assert (await client.next())[0] == "connected"
            yield client
