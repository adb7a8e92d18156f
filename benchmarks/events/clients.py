"""A process of many light clients, that tells when all of them have one more message; for `benchmarks.events.crowd`.

They speak just enough of WebSocket (RFC 6455), Engine.IO and Socket.IO to be let in and to count.
"""

import asyncio
import base64
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from urllib.parse import urlsplit

_HANDSHAKE = (
    "GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    # As every browser does.
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
_OPCODE, _DEFLATED = 0x0F, 0x40
"""Bits of a frame's first byte."""

_TEXT, _PING, _PONG = 0x1, 0x9, 0xA
_AT_ONCE = 50
"""Clients that come at the same time."""


class Client(asyncio.Protocol):
    """One socket; calls `got` for each event but the greeting."""

    def __init__(self, host: str, auth: object, got: Callable[[], None]) -> None:
        self.connected = asyncio.get_running_loop().create_future()
        self._host = host
        self._auth = auth
        self._got = got
        self._received = b""
        self._opened = False
        self._inflate: Callable[[bytes], bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(_HANDSHAKE.format(host=self._host, key=key).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(exc or ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._opened:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            self._opened, self._received = True, rest
            if b"permessage-deflate" in head:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
        while (frame := self._frame()) is not None:
            self._message(frame)

    def _frame(self) -> bytes | None:
        data = self._received
        if len(data) < 2:
            return None
        size, begin = data[1], 2
        if size >= 126:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(data[2:begin], "big")
        if len(data) < begin + size:
            return None
        content, self._received = data[begin : begin + size], data[begin + size :]
        if data[0] & _OPCODE == _PING:
            self._send(content, _PONG)
            return b""
        return self._inflate(content + b"\0\0\xff\xff") if data[0] & _DEFLATED and self._inflate else content

    def _message(self, text: bytes) -> None:
        if text.startswith(b"42"):
            if not text.startswith(b'42["connected"'):
                self._got()
        elif text == b"2":
            self._send(b"3")
        elif text.startswith(b"40"):
            self.connected.set_result(None)
        elif text.startswith((b"41", b"44")) and not self.connected.done():
            self.connected.set_exception(ConnectionError(text.decode()))
        elif text.startswith(b"0"):
            self._send(b"40" + json.dumps(self._auth).encode())

    def _send(self, text: bytes, opcode: int = _TEXT) -> None:
        size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0x80 | 126]) + len(text).to_bytes(2, "big")
        # Masked by zeros, which leaves it as it is.
        self._transport.write(bytes([0x80 | opcode]) + size + bytes(4) + text)


class Crowd:
    """All clients of this process, and how many messages they got together."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._messages = 0

    def got(self) -> None:
        self._messages += 1
        if self._messages % self._size == 0:
            print(time.monotonic(), flush=True)


async def main() -> None:
    """Read a server's address and what each client shows it; then say `ready`, and count until the end of input."""
    asked = json.loads(sys.stdin.readline())
    address, crowd, places = urlsplit(asked["url"]), Crowd(len(asked["auths"])), asyncio.Semaphore(_AT_ONCE)

    async def join(auth: object) -> None:
        async with places:
            make = lambda: Client(address.netloc, auth, crowd.got)  # noqa: E731
            _, client = await asyncio.get_running_loop().create_connection(make, address.hostname, address.port)
            await client.connected

    await asyncio.gather(*map(join, asked["auths"]))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
