"""Run migrations on a database from code; the command line, the server's start and the tests all come through here."""

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
from tenantry.database.sqlite_file import create_private_file, open_file
from tenantry.database.tables import metadata
from tenantry.errors import MigrationFailed, SchemaOutdated, SchemaTooNew

__all__ = ["Revisions", "check_schema", "downgrade", "drift", "revisions", "upgrade"]

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
    if url.dialect == "sqlite" and not url.path.exists() and url.path.parent.is_dir():
        return Revisions(None, _head(), known=True)
    with _connected(url) as connection:
        return _revisions(connection)


def check_schema(url: DatabaseURL) -> None:
    """Raise `SchemaOutdated` or `SchemaTooNew` unless the database is at this program's revision."""
    found = revisions(url)
    if not found.known:
        raise SchemaTooNew(
            f"The database is at revision {found.current}, which this program does not know.",
            remedy="Install the release of Tenantry that wrote it, or a newer one.",
        )
    if not found.up_to_date:
        at = found.current or "no revision"
        raise SchemaOutdated(f"The database is at {at}, this program needs {found.head}.", remedy="Run: tenantry db upgrade")


def drift(url: DatabaseURL) -> list[Any]:
    """Differences between the database and the tables that this program knows; empty when all is well."""
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": included, "compare_type": True})
        return list(compare_metadata(context, metadata))


def included(_: object, name: str | None, kind: str, __: bool, ___: object) -> bool:
    """Whether the schema comparison looks at an object: the text indexes are built by hand and are not tables of ours."""
    return not (name or "").startswith(("media_text", "alembic_version", "sqlite_"))


def _migrate(url: DatabaseURL, act: Callable[[Config], None]) -> None:
    if url.dialect == "sqlite":
        create_private_file(url.path)
    with _connected(url) as connection:
        _begin_alone(connection)
        found = _revisions(connection)
        if not found.known:
            raise SchemaTooNew(
                f"The database is at revision {found.current}, which this program does not know.",
                remedy="Install the release of Tenantry that wrote it, or a newer one.",
            )
        if connection.dialect.name == "postgresql":
            ensure_roles(connection)
        try:
            act(_config(connection))
        except CommandError as error:
            raise MigrationFailed(f"{error}.", remedy="See: tenantry db current") from error
        except DBAPIError as error:
            raise MigrationFailed(f"A migration step failed: {type(error.orig).__name__}: {error.orig}") from error
        _check_references(connection)
        connection.commit()


@contextmanager
def _connected(url: DatabaseURL) -> Iterator[sa.Connection]:
    if url.dialect == "sqlite":
        engine = sa.create_engine(
            "sqlite+pysqlite://", creator=lambda: open_file(url.path, _SQLITE_PATIENCE), poolclass=NullPool
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = sa.create_engine(url.driven_by("postgresql+psycopg"), poolclass=NullPool)
    try:
        with tenantry_errors():
            connection = engine.connect()
        with connection, tenantry_errors():
            yield connection
    finally:
        engine.dispose()


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Foreign keys stay off: a batch migration drops and rebuilds tables, and with enforcement on that deletes their children.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.create_function("tenantry_user", 0, lambda: None)
    connection.create_function("tenantry_privileged", 0, lambda: 1)


def _begin_alone(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _check_references(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise MigrationFailed(f"Rows of {tables} would point at nothing.", remedy="Restore a backup and report this.")


def _revisions(connection: sa.Connection) -> Revisions:
    current = MigrationContext.configure(connection).get_current_revision()
    known = current is None or any(script.revision == current for script in _scripts().walk_revisions())
    return Revisions(current, _head(), known)


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
