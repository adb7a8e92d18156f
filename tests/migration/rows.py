"""Rows of a database at any revision, past all tenancy."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tenantry.alembic.migrate import connected
from tenantry.database import DatabaseURL, inspection

__all__ = ["insert", "privileged", "rows"]


@contextmanager
def privileged(url: DatabaseURL) -> Iterator[sa.Connection]:
    with connected(url) as connection:
        if url.dialect == "postgresql":
            inspection.take_service_role(connection)
        else:
            inspection.begin_writing(connection)
        yield connection


def insert(url: DatabaseURL, table: str, values: Sequence[Mapping[str, object]]) -> None:
    with privileged(url) as connection:
        known = sa.table(table, *(sa.column(name) for name in values[0]))
        connection.execute(sa.insert(known), [dict(row) for row in values])
        connection.commit()


def rows(url: DatabaseURL, table: str) -> list[dict[str, Any]]:
    """All rows of a table, in the order of its first column."""
    with privileged(url) as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1").mappings().all()
    return [dict(row) for row in found]
