"""What an import keeps aside whole: tables that InvokeAI does not use, its own history, and tables of somebody else."""

from typing import Any

import sqlalchemy as sa

from tenantry.invokeai import schema as theirs
from tenantry.invokeai.bringing import Bringing
from tenantry.invokeai.counters import SEQUENCES
from tenantry.invokeai.identify import foreign_tables

__all__ = ["FOREIGN_DEFINITIONS", "set_aside"]

FOREIGN_DEFINITIONS = "sqlite_master"
"""Under this name the residue keeps the definitions of tables that are not InvokeAI's."""

_KEPT_ASIDE = (theirs.user_sessions, theirs.user_invitations, theirs.migrations, theirs.applied_migrations)


async def set_aside(bringing: Bringing) -> list[str]:
    """Keep what has no place in the schema; answers notes on what even that cannot hold."""
    for table in _KEPT_ASIDE:
        await bringing.set_aside(table, table.name, [column.name for column in table.primary_key])
    numbered = SEQUENCES.c.name != theirs.session_queue.name
    await bringing.set_aside(SEQUENCES, SEQUENCES.name, ["name"], only=numbered)
    ordinary, others = foreign_tables(bringing.reader.connection)
    for name, definition in ordinary.items():
        await _set_table_aside(bringing, name, definition)
    return [f"The table {name} is not InvokeAI's and was left out." for name in others]


async def _set_table_aside(bringing: Bringing, name: str, definition: str) -> None:
    columns: sa.Select[Any] = sa.select(sa.column("name")).select_from(sa.func.pragma_table_info(name).table_valued("name"))
    names = list(bringing.reader.connection.scalars(columns))
    bringing.report(FOREIGN_DEFINITIONS).read += 1
    await bringing.keep_whole(FOREIGN_DEFINITIONS, [{"name": name, "sql": definition}], ["name"])
    table = sa.table(name, *(sa.column(each) for each in dict.fromkeys(["rowid", *names])))
    await bringing.set_aside(table, name, ["rowid"])
