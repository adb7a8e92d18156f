"""Tells whether a database is InvokeAI 6.14's, and else what it is and what to do."""

from typing import Any

import sqlalchemy as sa

from tenantry.errors import ImportRefused
from tenantry.invokeai.schema import APPLIED, LEGACY_VERSIONS, NEWEST, applied_migrations, migrations, schema

__all__ = ["check_source", "foreign_tables"]

_FIELD = "file"
_UPGRADE = "Start InvokeAI 6.14 once on this database, then import it."
_OTHER_FILE = "Name InvokeAI's own database; it is usually databases/invokeai.db in InvokeAI's folder."
_TELLING = {"images", "boards", "board_images"}


def check_source(connection: sa.Connection) -> None:
    """Raise `ImportRefused` unless InvokeAI 6.14 has brought this database up to date, and nothing newer has touched it."""
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in tables and "import_residue" in tables:
        raise _refused("This is a database of Tenantry, not of InvokeAI.", _OTHER_FILE)
    if not tables >= _TELLING:
        raise _refused("This is a SQLite database, but not InvokeAI's.", _OTHER_FILE)
    applied = _applied(connection, tables)
    versions = _versions(connection, tables)
    unknown = sorted(applied - APPLIED.keys()) + [
        f"migration_{version}" for version in versions if version not in LEGACY_VERSIONS
    ]
    if unknown:
        raise _refused(
            f"A newer InvokeAI than 6.14 has changed this database; unknown migrations: {', '.join(dict.fromkeys(unknown))}.",
            "Use a release of Tenantry that knows this InvokeAI, or the backup that InvokeAI made before its update.",
        )
    missing = [name for name in APPLIED if name not in applied]
    if missing:
        raise _refused(f"This database is older than InvokeAI 6.14: {_age(applied, versions)}.", _UPGRADE)
    _check_shape(connection, tables)


def foreign_tables(connection: sa.Connection) -> tuple[dict[str, str], list[str]]:
    """Tables that are not InvokeAI 6.14's: definitions of ordinary ones, and names of others, which cannot be brought over."""
    kinds = sa.func.pragma_table_list().table_valued("name", "type", "wr")
    query = sa.select(kinds.c.name, kinds.c.type, kinds.c.wr).where(kinds.c.name.not_like("sqlite!_%", escape="!"))
    ordinary: dict[str, str] = {}
    others: list[str] = []
    for name, kind, without_rowid in connection.execute(query):
        if name in schema.tables or kind == "view":
            continue
        if kind == "table" and not without_rowid:
            ordinary[name] = _definition(connection, name)
        else:
            others.append(name)
    return ordinary, others


def _definition(connection: sa.Connection, table: str) -> str:
    held = sa.table("sqlite_master", sa.column("type"), sa.column("name"), sa.column("sql"))
    return str(connection.scalar(sa.select(held.c.sql).where(held.c.type == "table", held.c.name == table)))


def _applied(connection: sa.Connection, tables: set[str]) -> set[str]:
    if applied_migrations.name not in tables:
        return set()
    return {str(name) for name in connection.scalars(sa.select(applied_migrations.c.migration_id)) if name is not None}


def _versions(connection: sa.Connection, tables: set[str]) -> list[int]:
    if migrations.name not in tables:
        return []
    return sorted(connection.scalars(sa.select(migrations.c.version)))


def _age(applied: set[str], versions: list[int]) -> str:
    known = [name for name in APPLIED if name in applied]
    if known and known[-1] == NEWEST:
        gaps = ", ".join(name for name in APPLIED if name not in applied)
        return f"it lacks the migrations {gaps}"
    if known:
        return f"its newest migration is {known[-1]}"
    if versions:
        return f"its newest migration is migration_{versions[-1]}"
    return "it records no migration at all"


def _check_shape(connection: sa.Connection, tables: set[str]) -> None:
    """Every table must have exactly the columns that its migrations leave; else some other program has changed it."""
    for table in schema.sorted_tables:
        if table.name not in tables:
            raise _refused(f"The table {table.name} is missing.", "Restore the file from a backup.")
        columns = sa.func.pragma_table_xinfo(table.name).table_valued("name")
        info: sa.Select[Any] = sa.select(columns.c.name)
        found, known = set(connection.scalars(info)), {column.name for column in table.columns}
        if found != known:
            names = ", ".join(sorted(found ^ known))
            raise _refused(
                f"The table {table.name} is not as InvokeAI 6.14 has it; it differs in: {names}.",
                "Import the database of an unmodified InvokeAI.",
            )


def _refused(message: str, remedy: str) -> ImportRefused:
    return ImportRefused(message, field=_FIELD, remedy=remedy)
