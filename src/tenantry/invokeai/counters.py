"""Row numbers that must never be given twice, carried over between databases."""

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.database.tables import move_jobs, queue_items

__all__ = ["SEQUENCES", "last_item_id", "raise_counters"]

SEQUENCES = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
"""SQLite's own record of the highest number that each table has given."""


async def raise_counters(connection: Connection, last_item: int | None) -> None:
    """Never give a queue item a number again that InvokeAI gave, also to an item long deleted."""
    if connection.dialect == "sqlite":
        if last_item is not None:
            await _raise_on_sqlite(connection, last_item)
        return
    await _raise_on_postgresql(connection, queue_items.c.item_id, last_item)
    await _raise_on_postgresql(connection, move_jobs.c.job_id, None)


async def last_item_id(connection: Connection) -> int | None:
    """The highest number that a queue item ever had; None when there was never one."""
    if connection.dialect == "sqlite":
        query = sa.select(SEQUENCES.c.seq).where(SEQUENCES.c.name == queue_items.name)
    else:
        # The catalogue answers for a sequence that may be used, the sequence itself only where it may be read.
        query = (
            sa.select(sa.column("last_value"))
            .select_from(sa.table("pg_sequences"))
            .where(
                sa.func.format("%I.%I", sa.column("schemaname"), sa.column("sequencename")) == _sequence(queue_items.c.item_id)
            )
        )
    last: int | None = await connection.fetch_value(query)
    return last


async def _raise_on_sqlite(connection: Connection, last: int) -> None:
    mine = SEQUENCES.c.name == queue_items.name
    if await connection.fetch_value(sa.select(SEQUENCES.c.seq).where(mine)) is None:
        await connection.execute(sa.insert(SEQUENCES).values(name=queue_items.name, seq=last))
    await connection.execute(sa.update(SEQUENCES).where(mine, SEQUENCES.c.seq < last).values(seq=last))


async def _raise_on_postgresql(connection: Connection, column: sa.Column[int], last: int | None) -> None:
    highest = await connection.fetch_value(sa.select(sa.func.max(column)))
    given = await last_item_id(connection) if column is queue_items.c.item_id else None
    reached = max(highest or 0, last or 0, given or 0)
    if reached > 0:
        await connection.fetch_value(sa.select(sa.func.setval(_sequence(column), reached)))


def _sequence(column: sa.Column[int]) -> sa.ColumnElement[str]:
    return sa.func.pg_get_serial_sequence(column.table.name, column.name)
