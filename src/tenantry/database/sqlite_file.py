"""One connection to a SQLite file: how it is opened, what it is told, and how its transaction ends."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tenantry.database.failures import tenantry_errors
from tenantry.database.identity import Identity
from tenantry.errors import DatabaseUnavailable

__all__ = [
    "Handle",
    "Synchronous",
    "check_same_file",
    "commit",
    "create_private_file",
    "file_number",
    "open_file",
    "prepare",
    "rollback",
]

Synchronous = Literal["FULL", "NORMAL"]


@dataclass(eq=False, slots=True)
class Handle:
    """One connection to the file and whom it acts for at this moment."""

    connection: sa.Connection
    raw: sqlite3.Connection
    identity: Identity | None = None

    def act_as(self, identity: Identity | None) -> None:
        self.identity = identity

    def close(self) -> None:
        self.connection.close()


def create_private_file(path: Path) -> None:
    """Make a new database file readable for its owner alone, because it holds password hashes and the token secret."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def open_file(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """A connection to an existing file; a missing one is an error and is not made, which only a migration does."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=busy_timeout, check_same_thread=False)


def prepare(handle: Handle, busy_timeout: float, synchronous: Synchronous, *, read_only: bool) -> None:
    """Set the connection's pragmas, and the functions that the triggers ask for its user.

    A connection without them, such as the sqlite3 shell's, can neither link nor move rows.
    """
    pragmas: list[tuple[str, str | int]] = [
        ("busy_timeout", int(busy_timeout * 1000)),
        ("journal_mode", "WAL"),
        ("synchronous", synchronous),
        ("foreign_keys", "ON"),
        ("temp_store", "MEMORY"),
        ("cache_size", -16_000),
        ("mmap_size", 268_435_456),
        ("recursive_triggers", "ON"),
        ("query_only", "ON" if read_only else "OFF"),
    ]
    for name, value in pragmas:
        handle.raw.execute(f"PRAGMA {name} = {value}")
    handle.raw.create_function("tenantry_user", 0, lambda: handle.identity.user_id if handle.identity else None)
    handle.raw.create_function("tenantry_privileged", 0, lambda: int(bool(handle.identity and handle.identity.privileged)))


def file_number(path: Path) -> tuple[int, int]:
    """What tells this file from another that is put in its place."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def check_same_file(path: Path, expected: tuple[int, int] | None) -> None:
    """Raise `DatabaseUnavailable` when the file was taken away or replaced: what is written to it now would be lost."""
    try:
        same = file_number(path) == expected
    except OSError:
        same = False
    if not same:
        raise DatabaseUnavailable(
            "The database file was taken away or replaced while it was open.",
            remedy="Put it back, or stop Tenantry and start it again.",
        )


def commit(handle: Handle) -> None:
    """Commit; rolls back and raises when the database refuses."""
    try:
        with tenantry_errors():
            handle.raw.execute("COMMIT")
    except BaseException:
        rollback(handle)
        raise
    handle.identity = None


def rollback(handle: Handle) -> None:
    """Undo what is open, if anything is."""
    handle.identity = None
    if handle.raw.in_transaction:
        with suppress(sqlite3.Error):
            handle.raw.execute("ROLLBACK")
