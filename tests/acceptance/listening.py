"""Servers in processes of their own that are killed and started again, and clients that go on where they were."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import socketio
from engineio.payload import Payload

from tests.waiting import until_async

__all__ = ["Listener", "Process", "environment_of", "listening", "server"]

ROOT = Path(__file__).parents[2]
SERVE = "from tenantry.api.serve import run; from tenantry.settings import Settings; run(Settings.read(), migrate=False)"

# The client refuses more packets in one answer, of which a page in a browser takes any number.
Payload.max_decode_packets = 1_000_000


class Process:
    """A process that can be killed at any moment, and started again."""

    def __init__(self, words: list[str], environment: Mapping[str, str], said: Path) -> None:
        self._words, self._environment, self._said = words, dict(environment), said
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._said.open("ab") as said:
            self._running = subprocess.Popen(
                [sys.executable, *self._words], env=self._environment, cwd=ROOT, stdout=said, stderr=said
            )

    def kill(self) -> None:
        """As with kill -9."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()


def server(environment: Mapping[str, str], said: Path) -> tuple[Process, str]:
    """A server that has the same port whenever it is started, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = Process(["-c", SERVE], {**environment, "TENANTRY_PORT": str(port)}, said)
    return process, f"http://127.0.0.1:{port}"


class Listener:
    """A client of a user's that connects again whenever it is cut off, and says what it has had."""

    def __init__(self, name: str, url: str, token: str, transport: str, queue_ids: tuple[str, ...] = ()) -> None:
        self.name, self.queue_ids = name, queue_ids
        self.got: dict[str, tuple[str, dict[str, Any]]] = {}
        """What came, by the event's id, in the order in which it came first."""
        self.greetings = 0
        self.refetches = 0
        self._last: str | None = None
        self._url, self._transport = url, transport
        self._auth = {"token": token, "queue_ids": list(queue_ids)}

    async def run(self, session: aiohttp.ClientSession) -> None:
        while True:
            client = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=session)
            client.on("*", self._note)
            auth = self._auth if self._last is None else {**self._auth, "last_event_id": self._last}
            with suppress(socketio.exceptions.ConnectionError, aiohttp.ClientError, TimeoutError, OSError):
                await client.connect(
                    self._url, auth=auth, transports=[self._transport], socketio_path="/ws/socket.io", wait_timeout=10
                )
                await client.wait()
            # While the server is away it refuses at once.
            await asyncio.sleep(0.05)

    async def _note(self, name: str, payload: dict[str, Any]) -> None:
        if name == "connected":
            self.greetings += 1
            self._last = self._last or payload["event_id"]
            return
        self.refetches += name == "refetch"
        self._last = payload["event_id"]
        self.got.setdefault(payload["event_id"], (name, payload))

    @property
    def text(self) -> str:
        return json.dumps(list(self.got.values()))


@asynccontextmanager
async def listening(listeners: list[Listener]) -> AsyncIterator[None]:
    """Run the clients, and wait until all have been greeted."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = [asyncio.create_task(listener.run(session)) for listener in listeners]
        try:
            await until_async(lambda: all(listener.greetings for listener in listeners))
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def environment_of(database: str, **more: str) -> dict[str, str]:
    """What a process of the studio finds in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "XDG_RUNTIME_DIR") if name in os.environ}
    return {**kept, "TENANTRY_DATABASE": database, "TENANTRY_BCRYPT_COST": "4", **more}
