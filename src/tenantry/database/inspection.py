"""What a database says of its own condition. Nothing is changed here."""

import sqlalchemy as sa

from tenantry.database.connection import run
from tenantry.database.identity import SERVICE_ROLE
from tenantry.database.sqlite import SQLiteDatabase, Synchronous
from tenantry.database.tables import metadata, users
from tenantry.database.url import DatabaseURL
from tenantry.errors import DatabaseReadOnly

__all__ = [
    "active_administrators",
    "begin_writing",
    "broken_links",
    "check_writable",
    "foreign_tables",
    "has_text_search",
    "pragmas",
    "tables_without_policies",
    "take_service_role",
]


def foreign_tables(connection: sa.Connection) -> list[str]:
    """Tables of a SQLite file that carries no revision of ours: another program's."""
    found = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND name <> 'alembic_version' ORDER BY name"
    )
    return [row[0] for row in found]


def check_writable(connection: sa.Connection) -> None:
    """Raise `DatabaseReadOnly` where PostgreSQL lets nobody write: on a standby, or where transactions are read-only."""
    if connection.dialect.name != "postgresql":
        return
    if connection.execute(sa.text("SELECT current_setting('transaction_read_only')")).scalar_one() == "on":
        raise DatabaseReadOnly(
            field="database", remedy="Name the primary server, and leave default_transaction_read_only off for the database."
        )


def pragmas(url: DatabaseURL, synchronous: Synchronous) -> dict[str, object]:
    """How the server's own connections to a SQLite file are set."""
    database = SQLiteDatabase(url, synchronous=synchronous)
    try:
        with database.direct_reading(None) as connection:
            names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
            return {name: run(connection.fetch_value(sa.text(f"PRAGMA {name}"))) for name in names}
    finally:
        database.close()


def has_text_search(connection: sa.Connection) -> bool:
    """Whether search has its index: FTS5 with trigrams on SQLite, pg_trgm on PostgreSQL."""
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'media_text'"
    else:
        query = "SELECT count(*) FROM pg_class WHERE relname = 'media_text_trigrams'"
    return bool(connection.execute(sa.text(query)).scalar_one())


def broken_links(connection: sa.Connection) -> list[str]:
    """Tables with rows that point at nothing; PostgreSQL keeps its foreign keys itself unless one is not validated."""
    if connection.dialect.name == "sqlite":
        return sorted({row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    query = (
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
        " AND connamespace = current_schema()::regnamespace ORDER BY 1"
    )
    return [row[0] for row in connection.execute(sa.text(query))]


def active_administrators(connection: sa.Connection) -> int:
    """How many people may administer and log in; on PostgreSQL inside a transaction that took the service role."""
    query = sa.select(sa.func.count()).where(users.c.kind == "person", users.c.is_admin, users.c.is_active)
    return int(connection.execute(query).scalar_one())


def tables_without_policies(connection: sa.Connection) -> list[str]:
    """Tables of ours on PostgreSQL for which row-level security is not on, or not for their owner."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        " AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname"
    )
    known = set(metadata.tables)
    return [row[0] for row in connection.execute(query) if row[0] in known]


def take_service_role(connection: sa.Connection) -> None:
    """Let the rest of a transaction on PostgreSQL see all rows."""
    connection.execute(sa.text("SELECT set_config('role', :role, true)"), {"role": SERVICE_ROLE})


def begin_writing(connection: sa.Connection) -> None:
    """Begin a write transaction on SQLite, which fails where the file may not be written."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
