"""Run migrations on a database from code; the command line, the server's start and the tests all come through here."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tenantry.alembic.roles import ensure_roles
from tenantry.database import DatabaseURL
from tenantry.database.failures import tenantry_errors
from tenantry.database.inspection import check_writable, foreign_tables
from tenantry.database.login import check_login
from tenantry.database.sqlite_file import create_private_file, open_file
from tenantry.database.tables import metadata
from tenantry.errors import DatabaseUnavailable, MigrationFailed, NotADatabase, SchemaOutdated, SchemaTooNew

__all__ = [
    "Revisions",
    "check_schema",
    "connected",
    "downgrade",
    "drift",
    "drift_of",
    "revisions",
    "revisions_of",
    "upgrade",
]

# It warns of each index that is sorted downwards, of which `included` says what is compared.
logging.getLogger("alembic.ddl.impl").setLevel(logging.ERROR)

_ADVISORY_LOCK = 0x7E4A_4E54_5259
_LOCK_TIMEOUT = "60s"
_SQLITE_PATIENCE = 60.0
"""Seconds to wait for another process that holds the file, such as one that is migrating it."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """What a database is at, and what this program wants; `current` is None for an empty database."""

    current: str | None
    head: str
    known: bool

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


def upgrade(url: DatabaseURL, revision: str = "head") -> None:
    """Bring the database to `revision`, in one transaction, alone.

    Raises `SchemaTooNew` for a database of a newer program and `MigrationFailed` when a step fails; nothing is changed then.
    """
    _migrate(url, lambda config: command.upgrade(config, revision))


def downgrade(url: DatabaseURL, revision: str) -> None:
    """Bring the database back to `revision` (`base` for an empty one), with the guarantees of `upgrade`."""
    _migrate(url, lambda config: command.downgrade(config, revision))


def revisions(url: DatabaseURL) -> Revisions:
    """What the database is at, without changing it, also without making a SQLite file that is not there."""
    return _look(url, working=False)


def check_schema(url: DatabaseURL) -> None:
    """Raise unless the database can be worked with as it is.

    `SchemaOutdated` and `SchemaTooNew`: it is not at this program's revision. `UnsafeDatabaseRole`: the PostgreSQL login
    sees every user's rows. `DatabaseReadOnly`: nothing can be written.
    """
    found = _look(url, working=True)
    if not found.known:
        raise _too_new(found)
    if not found.up_to_date:
        at = found.current or "no revision"
        raise SchemaOutdated(
            f"The database is at {at}, this program needs {found.head}.", field="database", remedy="Run: tenantry db upgrade"
        )


def drift(url: DatabaseURL) -> list[Any]:
    """Differences between the database and the tables that this program knows; empty when all is well."""
    with connected(url) as connection:
        check_login(connection, mending=True)
        return drift_of(connection)


def drift_of(connection: sa.Connection) -> list[Any]:
    """Like `drift`, over an open connection."""
    context = MigrationContext.configure(connection, opts={"include_object": included, "compare_type": True})
    return list(compare_metadata(context, metadata))


def revisions_of(connection: sa.Connection) -> Revisions:
    """Like `revisions`, over an open connection."""
    current = MigrationContext.configure(connection).get_current_revision()
    known = current is None or any(script.revision == current for script in _scripts().walk_revisions())
    return Revisions(current, _head(), known)


def included(item: object, name: str | None, _: str, __: bool, found: object) -> bool:
    """Whether the schema comparison looks at an object: the text indexes are built by hand and are not tables of ours.

    SQLite does not tell in which direction an index is sorted, so one that is sorted downwards has only to be there.
    """
    if isinstance(item, sa.Index) and found is not None and not all(isinstance(part, sa.Column) for part in item.expressions):
        return False
    return not (name or "").startswith(("media_text", "alembic_version", "sqlite_"))


def _look(url: DatabaseURL, *, working: bool) -> Revisions:
    if url.dialect == "sqlite" and not url.path.exists() and url.path.parent.is_dir():
        return Revisions(None, _head(), known=True)
    with connected(url) as connection:
        check_login(connection, mending=not working)
        if working:
            check_writable(connection)
        return revisions_of(connection)


def _too_new(found: Revisions) -> SchemaTooNew:
    return SchemaTooNew(
        f"The database is at revision {found.current}, which this program does not know.",
        field="database",
        remedy="Install the release of Tenantry that wrote it, or a newer one.",
    )


def _migrate(url: DatabaseURL, act: Callable[[Config], None]) -> None:
    if url.dialect == "sqlite":
        create_private_file(url.path)
    with connected(url) as connection:
        check_login(connection, mending=True)
        check_writable(connection)
        _refuse_foreign(connection)
        _begin_alone(connection)
        found = revisions_of(connection)
        if not found.known:
            raise _too_new(found)
        if connection.dialect.name == "postgresql":
            ensure_roles(connection)
        try:
            act(_config(connection))
        except CommandError as error:
            raise MigrationFailed(f"{error}.", field="revision", remedy="See: tenantry db current") from error
        except DBAPIError as error:
            # What follows the first line is SQL.
            said = str(error.orig).partition("\n")[0]
            raise MigrationFailed(
                f"A migration step failed: {type(error.orig).__name__}: {said}.",
                field="database",
                remedy="Let the login own the database and its tables; nothing was changed.",
            ) from error
        _check_references(connection)
        connection.commit()


@contextmanager
def connected(url: DatabaseURL) -> Iterator[sa.Connection]:
    """A connection for looking at the database or migrating it; rolls back unless its holder commits."""
    if url.dialect == "sqlite":
        engine = sa.create_engine(
            "sqlite+pysqlite://", creator=lambda: open_file(url.path, _SQLITE_PATIENCE), poolclass=NullPool
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = _postgresql_engine(url)
    try:
        with tenantry_errors():
            connection = engine.connect()
        with connection, tenantry_errors():
            yield connection
    finally:
        engine.dispose()


def _postgresql_engine(url: DatabaseURL) -> sa.Engine:
    try:
        return sa.create_engine(url.driven_by("postgresql+psycopg"), poolclass=NullPool, hide_parameters=True)
    except ImportError as error:
        raise DatabaseUnavailable(
            "The drivers for PostgreSQL are not installed.", remedy="Run: pip install 'tenantry[postgres]'"
        ) from error


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Foreign keys stay off: a batch migration drops and rebuilds tables, and with enforcement on that deletes their children.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.create_function("tenantry_user", 0, lambda: None)
    connection.create_function("tenantry_privileged", 0, lambda: 1)


def _refuse_foreign(connection: sa.Connection) -> None:
    """Leave another program's SQLite file as it is; even the journal's mode would be a change to it."""
    # Tables first: another process that is building the schema commits its tables and its revision together.
    if connection.dialect.name == "sqlite" and foreign_tables(connection) and revisions_of(connection).current is None:
        raise NotADatabase(
            "This file is the database of another program.",
            field="database",
            remedy="Name another file; a studio of InvokeAI is brought in with: tenantry import FILE",
        )


def _begin_alone(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        # Where a login's own schema comes first, the tables would be made there, out of reach of the roles.
        connection.exec_driver_sql("SELECT set_config('search_path', 'public, ' || current_setting('search_path'), true)")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _check_references(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise MigrationFailed(f"Rows of {tables} would point at nothing.", remedy="Restore a backup and report this.")


def _head() -> str:
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "tenantry:alembic")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
