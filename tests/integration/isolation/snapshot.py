"""Every row of every table as text, so that a test can tell what an attack changed."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from tenantry.database.connection import Connection
from tenantry.database.tables import metadata

_OWNER_COLUMNS = ("owner_id", "user_id")


@dataclass(frozen=True)
class StoredRow:
    """One row: its table, whose it is (empty: nobody's), and all that it holds."""

    table: str
    owner: str
    text: str


async def snapshot(connection: Connection) -> frozenset[StoredRow]:
    """What is stored, as far as the connection may see it; make it act for Tenantry itself before."""
    rows = await connection.fetch_all(_everything())
    return frozenset(StoredRow(row.source, row.owner, row.content) for row in rows)


@cache
def _everything() -> sa.CompoundSelect[Any]:
    return sa.union_all(*[_rows(table) for table in metadata.sorted_tables])


def _rows(table: sa.Table) -> sa.Select[str, str, str]:
    owner = next((table.c[name] for name in _OWNER_COLUMNS if name in table.c), sa.literal(""))
    content: sa.ColumnElement[str] = sa.literal("")
    for column in table.c:
        content = content + f" {column.name}=" + sa.func.coalesce(sa.cast(column, sa.Text), "NULL")
    return sa.select(sa.literal(table.name).label("source"), sa.cast(owner, sa.Text).label("owner"), content.label("content"))
