"""How many items of the queue each user has in each status, kept in the transaction that changes an item.

Every status of an item is counted twice: for its queue, and for its destination there, if it has one.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tenantry.database import Connection, Dialect, Query
from tenantry.database.listed import Listed
from tenantry.database.tables import batches, queue_counts, queue_items
from tenantry.repositories.base import among

__all__ = ["ANY_DESTINATION", "Counted", "Disagreement", "add_to_counts", "disagreements", "named_destination", "recount"]

ANY_DESTINATION = ""
"""In the place of a destination: all items, whatever their destination."""

_KEY = (queue_counts.c.queue_id, queue_counts.c.user_id, queue_counts.c.destination, queue_counts.c.status)


class Counted(NamedTuple):
    """What an item counts as."""

    queue_id: str
    user_id: str
    destination: str | None
    status: str


class Disagreement(NamedTuple):
    """A count that is not what the items say."""

    queue_id: str
    user_id: str
    destination: str
    status: str
    counted: int
    found: int


def named_destination(destination: str) -> str:
    """How a destination stands in the table, apart from `ANY_DESTINATION` whatever its name."""
    return f"={destination}"


async def add_to_counts(connection: Connection, changes: Mapping[Counted, int]) -> None:
    """Add to the counts, in one order for everybody, so that two transactions never wait for each other in a circle."""
    sums: Counter[tuple[str, str, str, str]] = Counter()
    for (queue_id, user_id, destination, status), items in changes.items():
        sums[queue_id, user_id, ANY_DESTINATION, status] += items
        if destination is not None:
            sums[queue_id, user_id, named_destination(destination), status] += items
    rows = sorted((*key, items) for key, items in sums.items() if items)
    if rows:
        statement, listed = _add(connection.dialect)
        await connection.execute(statement, listed.pack(rows))


async def recount(connection: Connection, *user_ids: str) -> None:
    """Count the items of these users, or of all, anew. Acts on what an administrator or Tenantry itself sees."""
    if connection.dialect == "postgresql":
        # Who is about to change a count waits until this transaction ends, and then adds to the new one.
        await connection.execute(sa.text("LOCK TABLE queue_counts IN SHARE ROW EXCLUSIVE MODE"))
    only = among(connection.dialect, queue_counts.c.user_id, user_ids) if user_ids else sa.true()
    await connection.execute(sa.delete(queue_counts).where(only))
    theirs = among(connection.dialect, queue_items.c.user_id, user_ids) if user_ids else sa.true()
    columns = [*(column.name for column in _KEY), "items"]
    await connection.execute(sa.insert(queue_counts).from_select(columns, _counted(theirs)))


async def disagreements(connection: Connection, most: int = 100) -> list[Disagreement]:
    """Up to `most` counts that differ from what the items say; empty when all is well."""
    found = _counted(sa.true()).subquery("found")
    nothing = sa.literal(0)
    both = sa.union_all(
        sa.select(*_KEY, queue_counts.c["items"].label("counted"), nothing.label("found")),
        sa.select(*(found.c[column.name] for column in _KEY), nothing, found.c["items"]),
    ).subquery("both")
    key = [both.c[column.name] for column in _KEY]
    counted, number = sa.func.sum(both.c.counted), sa.func.sum(both.c.found)
    query = sa.select(*key, counted, number).group_by(*key).having(counted != number).limit(most)
    return [Disagreement(*tuple(row)) for row in await connection.fetch_all(query)]


def _counted(only: sa.ColumnElement[bool]) -> sa.CompoundSelect[tuple[str, str, str, str, int]]:
    """The counts as the items say them."""
    items = queue_items.join(batches, batches.c.batch_key == queue_items.c.batch_key)
    key = (queue_items.c.queue_id, queue_items.c.user_id, queue_items.c.status)
    named = sa.literal("=") + batches.c.destination

    def grouped(
        destination: sa.ColumnElement[str], *where: sa.ColumnElement[bool]
    ) -> sa.Select[tuple[str, str, str, str, int]]:
        return (
            sa.select(key[0], key[1], destination.label("destination"), key[2], sa.func.count().label("items"))
            .select_from(items)
            .where(only, *where)
            .group_by(*key, batches.c.destination)
        )

    whole = (
        sa.select(key[0], key[1], sa.literal(ANY_DESTINATION).label("destination"), key[2], sa.func.count().label("items"))
        .where(only)
        .group_by(*key)
    )
    return sa.union_all(whole, grouped(named, batches.c.destination.is_not(None)))


@cache
def _add(dialect: Dialect) -> tuple[Query, Listed]:
    listed = Listed(
        dialect,
        "added",
        queue_id=sa.Text(),
        user_id=sa.Text(),
        destination=sa.Text(),
        status=sa.Text(),
        items=sa.BigInteger(),
    )
    columns = [*(column.name for column in _KEY), "items"]
    # SQLite takes the ON of ON CONFLICT for a join's without a WHERE before it.
    rows = sa.select(*(listed.rows.c[name] for name in columns)).where(sa.true()).order_by(listed.rows.c.order)
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    adding = insert(queue_counts).from_select(columns, rows)
    total = queue_counts.c["items"] + adding.excluded["items"]
    return adding.on_conflict_do_update(index_elements=list(_KEY), set_={"items": total}), listed
