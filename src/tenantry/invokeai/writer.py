"""Writes imported rows, or finds that they are there already."""

from collections.abc import Sequence
from enum import Enum

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.errors import ImportRefused, IntegrityViolation, InvalidInput
from tenantry.invokeai.mapping import Row
from tenantry.repositories.base import among
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["Outcome", "conflict", "write_rows"]

_SHOWN = 60
"""Characters of a key in a message at most."""


class Outcome(Enum):
    """What became of a row."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


async def write_rows(
    connection: Connection, table: sa.Table, key: Sequence[str], rows: Sequence[Row], *, replace: bool = False
) -> list[Outcome]:
    """Insert rows that are not there yet; answers what became of each.

    A row that is there with other values is replaced where `replace` says so, and else `ImportRefused` names it.
    """
    there = await _existing(connection, table, key, rows)
    outcomes: list[Outcome] = []
    fresh: list[Row] = []
    for row in rows:
        held = there.get(_identity(row, key))
        if held is None:
            fresh.append(row)
            outcomes.append(Outcome.WRITTEN)
        elif _equal(held, row):
            outcomes.append(Outcome.UNCHANGED)
        elif replace:
            await _replace(connection, table, key, row)
            outcomes.append(Outcome.REPLACED)
        else:
            raise conflict(table.name, _identity(row, key))
    try:
        await connection.execute_many(sa.insert(table), fresh)
    except (IntegrityViolation, InvalidInput) as error:
        raise _unwritable(error, table, key, fresh) from error
    return outcomes


def conflict(table: str, identity: tuple[object, ...]) -> ImportRefused:
    """The database holds another row of this key."""
    named = ", ".join(str(part)[:_SHOWN] for part in identity)
    return ImportRefused(
        f"The row {named} of {table} is another one in the database, which holds another studio or has changed since.",
        field="file",
        remedy="Import into a database that holds nothing yet.",
    )


async def _existing(
    connection: Connection, table: sa.Table, key: Sequence[str], rows: Sequence[Row]
) -> dict[tuple[object, ...], Row]:
    columns = list(dict.fromkeys([*key, *(name for row in rows[:1] for name in row)]))
    first = list(dict.fromkeys(row[key[0]] for row in rows))
    query = sa.select(*(table.c[name] for name in columns)).where(among(connection.dialect, table.c[key[0]], first))
    found = [dict(row._mapping) for row in await connection.fetch_all(query)]
    return {_identity(row, key): row for row in found}


def _identity(row: Row, key: Sequence[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in key)


def _equal(held: Row, row: Row) -> bool:
    different = [name for name, value in row.items() if held[name] != value]
    # Users have logged in since.
    if "last_login_at" in different:
        different = [name for name in different if name not in {"last_login_at", "updated_at"}]
    # What the file gives to `system` may have been given to a user since.
    return not different or (different in (["user_id"], ["owner_id"]) and row[different[0]] == SYSTEM_USER_ID)


async def _replace(connection: Connection, table: sa.Table, key: Sequence[str], row: Row) -> None:
    same_key = sa.and_(*(table.c[name] == row[name] for name in key))
    await connection.execute(sa.update(table).where(same_key).values(row))


def _unwritable(
    error: IntegrityViolation | InvalidInput, table: sa.Table, key: Sequence[str], rows: Sequence[Row]
) -> ImportRefused:
    rule = error.constraint if isinstance(error, IntegrityViolation) and error.constraint else error.message
    first, last = (str(row[key[0]])[:_SHOWN] for row in (rows[0], rows[-1]))
    return ImportRefused(
        f"Rows of {table.name} ({first} to {last}) do not fit into the database: {rule.rstrip('.')}.",
        field="file",
        remedy=error.remedy or "Import into a database that holds nothing yet.",
    )
