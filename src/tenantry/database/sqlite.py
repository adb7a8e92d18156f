"""SQLite: one writer connection for both modes, as many readers as are needed."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tenantry.database.connection import Connection
from tenantry.database.failures import tenantry_errors
from tenantry.database.identity import Identity
from tenantry.database.sqlite_file import (
    Handle,
    Synchronous,
    check_same_file,
    commit,
    file_number,
    open_file,
    prepare,
    rollback,
)
from tenantry.database.statements import DirectConnection, HoppingConnection, hop
from tenantry.database.turns import Turns
from tenantry.database.url import DatabaseURL, Dialect
from tenantry.errors import DatabaseBusy, DatabaseUnavailable

__all__ = ["SQLiteDatabase", "Synchronous"]

_IDLE_READERS = 8
_ASYNC_READERS = 4
_READS_AT_ONCE = 64
"""Open snapshots of one event loop; more wait in line, so that many tasks cannot use up the process's file handles."""


class SQLiteDatabase:
    """An embedded database file.

    Every transaction is begun and ended here by hand: SQLAlchemy's connections are held open in autocommit, which saves
    the pool's and the transaction's traffic on each of the short reads that a studio consists of.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, url: DatabaseURL, *, synchronous: Synchronous = "FULL", busy_timeout: float = 30.0) -> None:
        self.url = url
        self._path = url.path
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._engine = sa.create_engine(
            "sqlite+pysqlite://",
            creator=lambda: open_file(self._path, busy_timeout),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            # Errors are logged, and parameters are prompts and hashes of passwords.
            hide_parameters=True,
        )
        self._turns = Turns()
        self._writer: Handle | None = None
        self._readers: deque[Handle] = deque()
        self._writer_thread = ThreadPoolExecutor(1, "tenantry-writer")
        self._reader_threads = ThreadPoolExecutor(_ASYNC_READERS, "tenantry-reader")
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._closing = threading.Lock()
        self._closed = False
        self._file: tuple[int, int] | None = None

    @contextmanager
    def direct_writing(self, identity: Identity | None) -> Iterator[Connection]:
        """A write transaction of this thread; commits at the end, rolls back on any exception."""
        self._turns.acquire(self._busy_timeout)
        try:
            handle = self._begin_write(identity)
            direct = DirectConnection(handle.connection, "sqlite", handle.act_as)
            try:
                yield direct
            except BaseException:
                rollback(handle)
                raise
            finally:
                direct.end()
            commit(handle)
        finally:
            self._turns.release()

    @contextmanager
    def direct_reading(self, identity: Identity | None) -> Iterator[Connection]:
        """A read transaction of this thread: all its statements see one moment of the database."""
        try:
            handle = self._readers.pop()
        except IndexError:
            handle = self._open(read_only=True)
        self._begin_read(handle, identity)
        direct = DirectConnection(handle.connection, "sqlite", handle.act_as)
        try:
            yield direct
        finally:
            direct.end()
            self._give_back(handle)

    @asynccontextmanager
    async def writing(self, identity: Identity | None) -> AsyncIterator[Connection]:
        """Like `direct_writing`, for a task."""
        await self._turns.acquire_async(self._busy_timeout)
        try:
            direct: DirectConnection | None = None
            try:
                handle = await hop(self._writer_thread, self._begin_write, identity)
                direct = DirectConnection(handle.connection, "sqlite", handle.act_as)
                yield HoppingConnection(direct, self._writer_thread)
            except BaseException:
                # Also a begin that went through while its task was being cancelled.
                await hop(self._writer_thread, self._rollback)
                raise
            finally:
                if direct is not None:
                    direct.end()
            await hop(self._writer_thread, commit, handle)
        finally:
            self._turns.release()

    @asynccontextmanager
    async def reading(self, identity: Identity | None) -> AsyncIterator[Connection]:
        """Like `direct_reading`, for a task; at most 64 at once on one loop, others wait (`DatabaseBusy` after the timeout)."""
        places = await self._place()
        try:
            handle = await self._reader()
            self._begin_read(handle, identity)
            direct = DirectConnection(handle.connection, "sqlite", handle.act_as)
            try:
                yield HoppingConnection(direct, self._reader_threads)
            finally:
                direct.end()
                self._give_back(handle)
        finally:
            places.release()

    def close(self) -> None:
        """Close every connection; call it when no transaction is open."""
        with self._closing:
            self._closed = True
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

    def _begin_write(self, identity: Identity | None) -> Handle:
        if self._writer is None:
            self._writer = self._open(read_only=False)
        with tenantry_errors():
            check_same_file(self._path, self._file)
            self._writer.raw.execute("BEGIN IMMEDIATE")
        self._writer.identity = identity
        return self._writer

    def _rollback(self) -> None:
        if self._writer is not None:
            rollback(self._writer)

    def _begin_read(self, handle: Handle, identity: Identity | None) -> None:
        try:
            with tenantry_errors():
                check_same_file(self._path, self._file)
                handle.raw.execute("BEGIN")
        except BaseException:
            handle.close()
            raise
        handle.identity = identity

    async def _place(self) -> asyncio.Semaphore:
        places = self._places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_READS_AT_ONCE))
        if not places.locked():
            await places.acquire()
            return places
        try:
            async with asyncio.timeout(self._busy_timeout):
                await places.acquire()
        except TimeoutError:
            raise DatabaseBusy("Too many reads are open at once.") from None
        return places

    async def _reader(self) -> Handle:
        # A new one is put with the idle ones first, so that it is not lost when this task is cancelled meanwhile.
        while True:
            with suppress(IndexError):
                return self._readers.pop()
            await hop(self._reader_threads, lambda: self._readers.append(self._open(read_only=True)))

    def _give_back(self, handle: Handle) -> None:
        # Ends the snapshot; costs microseconds, so it is done where the caller stands.
        handle.identity = None
        try:
            handle.raw.execute("ROLLBACK")
        except sqlite3.Error:
            handle.close()
            return
        if len(self._readers) < _IDLE_READERS and not self._closed:
            self._readers.append(handle)
        else:
            handle.close()

    def _open(self, *, read_only: bool) -> Handle:
        if self._closed:
            raise DatabaseUnavailable("The database was closed.")
        with tenantry_errors():
            connection = self._engine.connect()
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            handle = Handle(connection, raw)
            try:
                prepare(handle, self._busy_timeout, self._synchronous, read_only=read_only)
                self._file = self._file or file_number(self._path)
            except BaseException:
                handle.close()
                raise
        return handle
