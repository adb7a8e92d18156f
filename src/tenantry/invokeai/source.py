"""Opens a database file of InvokeAI for reading, without ever changing it or anything beside it."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from tenantry.errors import ImportRefused, NotADatabase

__all__ = ["PATIENCE", "BrokenText", "Source", "open_source"]

_State = list[tuple[int, int] | None]

_MAGIC = b"SQLite format 3\0"
_WAL_VERSION = 2
_COPY_ATTEMPTS = 5

PATIENCE = 5.0
"""Seconds to wait for another program that holds the file."""

_FIELD = "file"
_STOP = "Stop InvokeAI and start the import again."
_OTHER_FILE = "Name InvokeAI's own database; it is usually databases/invokeai.db in InvokeAI's folder."


@dataclass(frozen=True, slots=True)
class BrokenText:
    """A text that is not valid UTF-8, as its bytes."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A connection that reads a file as it was when it was opened."""

    connection: sa.Connection
    path: Path
    state: _State | None

    def confirm_unchanged(self) -> None:
        """Raise `ImportRefused` when the file has changed since, so that what was read may be of two moments."""
        if self.state is not None and self.state != _fingerprint(self.path):
            raise ImportRefused("The file was changed while it was being read.", field=_FIELD, remedy=_STOP)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file for reading.

    A file with unmerged changes beside it (`-wal`, `-journal`) is read through a private copy of both, because SQLite
    would merge them. Raises `ImportRefused` when there is no such file or it cannot be read, and `NotADatabase`.
    """
    _check_file(path)
    with ExitStack() as cleanup:
        state: _State | None = _fingerprint(path)
        if _unmerged(path):
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="tenantry-import-")))
            uri = _uri(_copy(path, folder), "mode=rw")
            state = None
        elif _in_wal_mode(path):
            # Nobody has it open, else there were a -wal; and SQLite would leave files beside it.
            uri = _uri(path, "mode=ro&immutable=1")
        else:
            uri = _uri(path, "mode=ro")
        with _connected(uri) as connection:
            yield Source(connection, path, state)


@contextmanager
def _connected(uri: str) -> Iterator[sa.Connection]:
    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        raw.text_factory = _text
        return raw

    engine = sa.create_engine("sqlite+pysqlite://", creator=connect, poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            # One moment for all reads; where the journal allows it, writers wait until the end.
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            yield connection
    except sa.exc.DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError):
            raise _unreadable(error.orig) from error
        raise
    finally:
        engine.dispose()


def _unreadable(error: sqlite3.DatabaseError) -> NotADatabase | ImportRefused:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_NOTADB":
        return NotADatabase(field=_FIELD, remedy=_OTHER_FILE)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ImportRefused("The file is being written by another program.", field=_FIELD, remedy=_STOP)
    return ImportRefused(
        f"The file is damaged or cannot be read ({name or 'unknown'}).", field=_FIELD, remedy="Restore it from a backup."
    )


def _text(raw: bytes) -> str | BrokenText:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return BrokenText(raw)


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise ImportRefused(f"There is no file {path}.", field=_FIELD, remedy=_OTHER_FILE) from None
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ImportRefused(f"{path} cannot be read: {reason}.", field=_FIELD, remedy=_OTHER_FILE) from error
    if head and head != _MAGIC:
        raise NotADatabase(field=_FIELD, remedy=_OTHER_FILE)


def _uri(path: Path, options: str) -> str:
    return f"file:{quote(str(path.resolve()))}?{options}"


def _beside(path: Path) -> list[Path]:
    # SQLite looks beside the file itself, not beside a link to it.
    real = path.resolve()
    return [real.with_name(real.name + suffix) for suffix in ("-wal", "-journal")]


def _unmerged(path: Path) -> bool:
    return any(file.exists() and file.stat().st_size for file in _beside(path))


def _in_wal_mode(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:20] == bytes([_WAL_VERSION] * 2)


def _fingerprint(path: Path) -> _State:
    """Size and time of change of the file and of what lies beside it."""
    found: _State = []
    for file in [path, *_beside(path)]:
        try:
            known = file.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((known.st_size, known.st_mtime_ns))
    return found


def _copy(path: Path, folder: Path) -> Path:
    """Copy the file and what lies beside it, all of the same moment."""
    copied = folder / "source.db"
    for attempt in range(_COPY_ATTEMPTS):
        before = _fingerprint(path)
        for file in [path.resolve(), *_beside(path)]:
            target = copied.with_name(copied.name + file.name.removeprefix(path.resolve().name))
            target.unlink(missing_ok=True)
            if file.exists():
                shutil.copyfile(file, target)
        if before == _fingerprint(path):
            return copied
        time.sleep(0.2 * (attempt + 1))
    raise ImportRefused("The file is changing all the time.", field=_FIELD, remedy=_STOP)
