"""SQLite: one writer connection for both modes, as many readers as are needed."""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tenantry.database.connection import Connection
from tenantry.database.failures import tenantry_errors
from tenantry.database.identity import Identity
from tenantry.database.statements import DirectConnection, HoppingConnection, hop
from tenantry.database.turns import Turns
from tenantry.database.url import DatabaseURL, Dialect

__all__ = ["SQLiteDatabase", "Synchronous"]

Synchronous = Literal["FULL", "NORMAL"]

_IDLE_READERS = 8
_ASYNC_READERS = 4


@dataclass(eq=False, slots=True)
class _Handle:
    """One connection to the file and whom it acts for at this moment."""

    connection: sa.Connection
    raw: sqlite3.Connection
    identity: Identity | None = None

    def act_as(self, identity: Identity | None) -> None:
        self.identity = identity

    def close(self) -> None:
        self.connection.close()


class SQLiteDatabase:
    """An embedded database file.

    Every transaction is begun and ended here by hand: SQLAlchemy's connections are held open in autocommit, which saves
    the pool's and the transaction's traffic on each of the short reads that a studio consists of.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, url: DatabaseURL, *, synchronous: Synchronous = "FULL", busy_timeout: float = 30.0) -> None:
        self.url = url
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._engine = sa.create_engine(
            url.driven_by("sqlite+pysqlite"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": busy_timeout},
        )
        self._turns = Turns()
        self._writer: _Handle | None = None
        self._readers: deque[_Handle] = deque()
        self._writer_thread = ThreadPoolExecutor(1, "tenantry-writer")
        self._reader_threads = ThreadPoolExecutor(_ASYNC_READERS, "tenantry-reader")
        self._closing = threading.Lock()

    @contextmanager
    def direct_writing(self, identity: Identity | None) -> Iterator[Connection]:
        """A write transaction of this thread; commits at the end, rolls back on any exception."""
        self._turns.acquire(self._busy_timeout)
        try:
            handle = self._begin_write(identity)
            try:
                yield DirectConnection(handle.connection, "sqlite", handle.act_as)
            except BaseException:
                _rollback(handle)
                raise
            _commit(handle)
        finally:
            self._turns.release()

    @contextmanager
    def direct_reading(self, identity: Identity | None) -> Iterator[Connection]:
        """A read transaction of this thread: all its statements see one moment of the database."""
        handle = self._take_reader(identity)
        try:
            yield DirectConnection(handle.connection, "sqlite", handle.act_as)
        finally:
            self._give_back(handle)

    @asynccontextmanager
    async def writing(self, identity: Identity | None) -> AsyncIterator[Connection]:
        """Like `direct_writing`, for a task."""
        await self._turns.acquire_async(self._busy_timeout)
        try:
            handle = await hop(self._writer_thread, self._begin_write, identity)
            try:
                direct = DirectConnection(handle.connection, "sqlite", handle.act_as)
                yield HoppingConnection(direct, self._writer_thread)
            except BaseException:
                await hop(self._writer_thread, _rollback, handle)
                raise
            await hop(self._writer_thread, _commit, handle)
        finally:
            self._turns.release()

    @asynccontextmanager
    async def reading(self, identity: Identity | None) -> AsyncIterator[Connection]:
        """Like `direct_reading`, for a task."""
        handle = self._take_reader(identity)
        try:
            yield HoppingConnection(DirectConnection(handle.connection, "sqlite", handle.act_as), self._reader_threads)
        finally:
            self._give_back(handle)

    def close(self) -> None:
        """Close every connection; call it when no transaction is open."""
        with self._closing:
            self._writer_thread.shutdown()
            self._reader_threads.shutdown()
            if self._writer is not None:
                with suppress(sqlite3.Error):
                    self._writer.raw.execute("PRAGMA optimize")
                self._writer.close()
                self._writer = None
            while self._readers:
                self._readers.pop().close()
            self._engine.dispose()

    async def aclose(self) -> None:
        self.close()

    def _begin_write(self, identity: Identity | None) -> _Handle:
        with tenantry_errors():
            if self._writer is None:
                self._writer = self._open(read_only=False)
            self._writer.raw.execute("BEGIN IMMEDIATE")
        self._writer.identity = identity
        return self._writer

    def _take_reader(self, identity: Identity | None) -> _Handle:
        with tenantry_errors():
            try:
                handle = self._readers.pop()
            except IndexError:
                handle = self._open(read_only=True)
            handle.raw.execute("BEGIN")
        handle.identity = identity
        return handle

    def _give_back(self, handle: _Handle) -> None:
        # Ends the snapshot; costs microseconds, so it is done where the caller stands.
        handle.identity = None
        try:
            handle.raw.execute("ROLLBACK")
        except sqlite3.Error:
            handle.close()
            return
        if len(self._readers) < _IDLE_READERS:
            self._readers.append(handle)
        else:
            handle.close()

    def _open(self, *, read_only: bool) -> _Handle:
        _create_private_file(self.url)
        connection = self._engine.connect()
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        handle = _Handle(connection, raw)
        for name, value in self._pragmas(read_only=read_only):
            raw.execute(f"PRAGMA {name} = {value}")
        # The triggers ask these; a connection without them, such as the sqlite3 shell's, can neither link nor move rows.
        raw.create_function("tenantry_user", 0, lambda: handle.identity.user_id if handle.identity else None)
        raw.create_function("tenantry_privileged", 0, lambda: int(bool(handle.identity and handle.identity.privileged)))
        return handle

    def _pragmas(self, *, read_only: bool) -> list[tuple[str, str | int]]:
        return [
            ("busy_timeout", int(self._busy_timeout * 1000)),
            ("journal_mode", "WAL"),
            ("synchronous", self._synchronous),
            ("foreign_keys", "ON"),
            ("temp_store", "MEMORY"),
            ("cache_size", -16_000),
            ("mmap_size", 268_435_456),
            ("recursive_triggers", "ON"),
            ("query_only", "ON" if read_only else "OFF"),
        ]


def _commit(handle: _Handle) -> None:
    try:
        with tenantry_errors():
            handle.raw.execute("COMMIT")
    except BaseException:
        _rollback(handle)
        raise
    handle.identity = None


def _rollback(handle: _Handle) -> None:
    handle.identity = None
    if handle.raw.in_transaction:
        with suppress(sqlite3.Error):
            handle.raw.execute("ROLLBACK")


def _create_private_file(url: DatabaseURL) -> None:
    """Make a new database file readable for its owner alone, because it holds password hashes and the token secret."""
    with suppress(OSError):
        os.close(os.open(url.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
