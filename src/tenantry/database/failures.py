"""Turns driver errors into Tenantry's own."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tenantry.errors import (
    CrossTenantRefused,
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnavailable,
    IntegrityViolation,
    InvalidInput,
    NotADatabase,
    SchemaOutdated,
    TenantryError,
    TransactionEnded,
)

__all__ = ["CROSS_TENANT", "UNDONE", "tenantry_errors", "translate"]

CROSS_TENANT = "tenantry: cross-tenant change refused"
"""What the triggers on both databases say."""

UNDONE = "An error inside this unit of work undid all of it; nothing was stored."

_SQLITE_CONSTRAINT = re.compile(r"(?:UNIQUE|CHECK|NOT NULL) constraint failed: (?P<name>.+)")

_REFUSED_LOGIN = re.compile(r"FATAL: .*(authentication|does not exist|pg_hba)")
"""psycopg gives no code when it cannot connect, only what the server said."""

_FIELD = "database"


@contextmanager
def tenantry_errors() -> Iterator[None]:
    """Raise Tenantry's error in place of the driver's, with the driver's as its cause."""
    try:
        yield
    except (DBAPIError, StatementError, PoolTimeout, sqlite3.Error, OSError) as error:
        raise translate(error) from error


def translate(error: BaseException) -> TenantryError:
    """The error of ours that says what a driver's error means."""
    if isinstance(error, TenantryError):
        return error
    if isinstance(error, PoolTimeout):
        return DatabaseBusy("All connections to the database are in use.")
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(cause, TenantryError):
        return cause
    if isinstance(cause, UnicodeEncodeError):
        return InvalidInput("Text must be valid Unicode.", remedy="Remove the broken characters.")
    if isinstance(cause, OverflowError):
        return InvalidInput("A number is too large.", remedy="Use a smaller one.")
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause)
    return _from_postgresql(cause)


def _from_sqlite(error: sqlite3.Error) -> TenantryError:
    text = str(error)
    name = getattr(error, "sqlite_errorname", "")
    if CROSS_TENANT in text or "no such function: tenantry_" in text:
        return CrossTenantRefused()
    if name.startswith("SQLITE_CONSTRAINT"):
        found = _SQLITE_CONSTRAINT.search(text)
        return IntegrityViolation(found["name"] if found else name.removeprefix("SQLITE_CONSTRAINT_").lower())
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy()
    if name.startswith("SQLITE_READONLY"):
        return DatabaseReadOnly(field=_FIELD, remedy="Give the user of the server write permission on the file and its folder.")
    if name == "SQLITE_NOTADB":
        return NotADatabase(field=_FIELD, remedy="Name another file, or restore this one from a backup.")
    if "no such table" in text:
        return SchemaOutdated(field=_FIELD, remedy="Run: tenantry db upgrade")
    if name.startswith("SQLITE_CANTOPEN"):
        return DatabaseUnavailable(
            "The database file cannot be opened.", field=_FIELD, remedy="Check that its folder exists and may be read."
        )
    return DatabaseUnavailable("The database reported an error.")


def _from_postgresql(error: BaseException) -> TenantryError:
    # asyncpg errors reach us wrapped by SQLAlchemy, with the original as the cause.
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    text = str(error)
    if CROSS_TENANT in text or state == "42501":
        return CrossTenantRefused()
    if state.startswith("23"):
        return IntegrityViolation(_constraint_name(error))
    if state in {"22021", "22P05"} or "0x00" in text or "NUL" in text:
        return InvalidInput("Text must not contain NUL bytes.", remedy="Remove the NUL bytes.")
    if state == "54000":
        return InvalidInput("A text is too long for an index.", remedy="Shorten names and paths to 2,500 bytes.")
    if state == "25006":
        return DatabaseReadOnly()
    if state == "25P02":
        return TransactionEnded(UNDONE)
    if state in {"42P01", "42703"}:
        return SchemaOutdated(field=_FIELD, remedy="Run: tenantry db upgrade")
    if state in {"55P03", "57014"}:
        return DatabaseBusy()
    if state in {"40P01", "40001"}:
        return DatabaseBusy("Two changes stood in each other's way.", remedy="Try again.")
    if state.startswith(("28", "3D")) or (not state and _REFUSED_LOGIN.search(text)):
        return DatabaseUnavailable(
            "The database refused the login.", field=_FIELD, remedy="Check user, password and database name in the URL."
        )
    if state and not state.startswith(("08", "57")):
        return DatabaseUnavailable("The database reported an error.")
    return DatabaseUnavailable(field=_FIELD, remedy="Check that the server runs and that the URL names it.")


def _constraint_name(error: BaseException) -> str | None:
    for candidate in (error, error.__cause__):
        name = getattr(candidate, "constraint_name", None) or getattr(getattr(candidate, "diag", None), "constraint_name", None)
        if name:
            return str(name)
    return None
