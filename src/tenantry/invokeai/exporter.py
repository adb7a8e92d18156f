"""Exports a studio as a database that InvokeAI 6.14 opens and goes on using."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.pool import NullPool

from tenantry.accounts import tokens
from tenantry.database import Connection, DatabaseURL, parse_url, run
from tenantry.database.failures import tenantry_errors
from tenantry.errors import DatabaseUnavailable
from tenantry.invokeai import schema as theirs
from tenantry.invokeai.aside import FOREIGN_DEFINITIONS
from tenantry.invokeai.counters import SEQUENCES, last_item_id
from tenantry.invokeai.export_notes import export_notes
from tenantry.invokeai.mapping import Row
from tenantry.invokeai.new_file import new_file
from tenantry.invokeai.reports import ExportReport, Progress, TableExport, no_progress
from tenantry.invokeai.restoring import SECTIONS, Section, kept_rows, kept_tables, restored
from tenantry.studio import Studio, connect
from tenantry.tenancy import SYSTEM_USER_ID, InternalReason, Principal

__all__ = ["export_invokeai"]


def export_invokeai(source: Studio | DatabaseURL | str, path: Path | str, *, progress: Progress = no_progress) -> ExportReport:
    """Write the studio, or the database at a URL, to a new file for InvokeAI 6.14.

    Blocks until it is done; on an event loop, call it in a thread. The file holds password hashes and the token secret and
    is readable for its owner alone. Raises `Conflict` when the file exists, and `DatabaseUnavailable` when it cannot be
    written; there is no file then.
    """
    if isinstance(source, Studio):
        return _export(source, Path(path), progress)
    url = parse_url(source) if isinstance(source, str) else source
    if url.dialect == "sqlite" and not url.path.exists():
        raise DatabaseUnavailable(
            f"There is no database {url.path}.", field="database", remedy="Name the database that is to be exported."
        )
    studio = connect(url)
    try:
        return _export(studio, Path(path), progress)
    finally:
        studio.close()


def _export(studio: Studio, path: Path, progress: Progress) -> ExportReport:
    with new_file(path) as unfinished, studio.direct.read(Principal.internal(InternalReason.EXPORT)) as work:
        # Not written as text, in which a question mark would end the name.
        address = sa.URL.create("sqlite+pysqlite", database=str(unfinished))
        engine = sa.create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
        # Foreign keys are not enforced: rows arrive before what they point at, and what dangled in InvokeAI dangles again.
        with tenantry_errors(), engine.connect() as file:
            file.exec_driver_sql("BEGIN")
            report = run(_write_everything(work.ground.connection, file, progress))
            file.exec_driver_sql("COMMIT")
        return report


async def _write_everything(connection: Connection, file: sa.Connection, progress: Progress) -> ExportReport:
    theirs.schema.create_all(file)
    reports = [await _write_section(connection, file, section, progress) for section in SECTIONS]
    # Definitions of tables come before and the numbering after everything else, and so does the alphabet.
    kept = await kept_tables(connection)
    for table in sorted(kept, key=lambda name: (name != FOREIGN_DEFINITIONS, name == SEQUENCES.name, name)):
        reports.append(await _write_kept(connection, file, table, progress))
    if theirs.migrations.name not in kept:
        _complete(file)
    await _write_numbering(connection, file)
    for statement in theirs.trigger_statements():
        file.exec_driver_sql(statement)
    return ExportReport(_merged(reports), await export_notes(connection, file))


async def _write_section(connection: Connection, file: sa.Connection, section: Section, progress: Progress) -> TableExport:
    name = section.mapping.name
    total: int = await connection.fetch_value(sa.select(sa.func.count()).select_from(section.query().subquery()))
    done = 0
    progress(name, done, total)
    async for rows in restored(connection, section):
        if rows:
            file.execute(sa.insert(section.mapping.source), rows)
        done += len(rows)
        progress(name, done, total)
    return TableExport(name, done)


async def _write_kept(connection: Connection, file: sa.Connection, name: str, progress: Progress) -> TableExport:
    done = 0
    async for rows in kept_rows(connection, name):
        for row in rows:
            _write_kept_row(file, name, row)
        done += len(rows)
        progress(name, done, done)
    return TableExport(name, done)


def _write_kept_row(file: sa.Connection, name: str, row: Row) -> None:
    if name == FOREIGN_DEFINITIONS:
        file.exec_driver_sql(row["sql"])
        return
    if name == SEQUENCES.name:
        file.execute(sa.delete(SEQUENCES).where(SEQUENCES.c.name == row["name"]))
    table = theirs.schema.tables.get(name)
    if table is None:
        table = sa.Table(name, sa.MetaData(), *(sa.Column(column) for column in row))
    # A row that came into being here since has taken the place.
    file.execute(insert(table).on_conflict_do_nothing(), row)


def _complete(file: sa.Connection) -> None:
    """What every InvokeAI has and a studio that never came from one may lack."""
    file.execute(sa.insert(theirs.migrations), [{"version": version} for version in theirs.LEGACY_VERSIONS])
    applied = [{"migration_id": name, "legacy_version": version} for name, version in theirs.APPLIED.items()]
    file.execute(sa.insert(theirs.applied_migrations), applied)
    system = {"user_id": SYSTEM_USER_ID, "email": "system@system.invokeai", "display_name": "System", "password_hash": ""}
    file.execute(insert(theirs.users).on_conflict_do_nothing(), system)
    secret = {"key": tokens.SECRET_SETTING, "value": tokens.new_secret()}
    file.execute(insert(theirs.app_settings).on_conflict_do_nothing(), secret)


async def _write_numbering(connection: Connection, file: sa.Connection) -> None:
    last = await last_item_id(connection)
    name = theirs.session_queue.name
    file.execute(sa.delete(SEQUENCES).where(SEQUENCES.c.name == name))
    if last is not None:
        file.execute(sa.insert(SEQUENCES).values(name=name, seq=last))


def _merged(reports: list[TableExport]) -> tuple[TableExport, ...]:
    """One report a table, whichever way its rows came."""
    rows: dict[str, int] = {}
    for report in reports:
        rows[report.table] = rows.get(report.table, 0) + report.rows
    return tuple(TableExport(table, count) for table, count in rows.items() if table != FOREIGN_DEFINITIONS)
