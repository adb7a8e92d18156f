"""Reads rows of InvokeAI's database in batches, and refuses what no database of ours could hold."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from tenantry.database import Dialect
from tenantry.errors import ImportRefused
from tenantry.invokeai.mapping import Row
from tenantry.invokeai.residue import row_key
from tenantry.invokeai.source import BrokenText

__all__ = ["SourceReader"]

_ROWS = 500
_CHARACTERS = 8_000_000
_ROWID: sa.ColumnElement[int] = sa.literal_column("rowid")


class SourceReader:
    """Reads for a target of one dialect; PostgreSQL cannot store NUL bytes, SQLite can."""

    def __init__(self, connection: sa.Connection, dialect: Dialect) -> None:
        self.connection = connection
        self._refuse_nul = dialect == "postgresql"

    def count(self, table: sa.FromClause) -> int:
        return self.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def batches(
        self, table: sa.FromClause, key: Sequence[str], *, only: sa.ColumnElement[bool] | None = None
    ) -> Iterator[list[Row]]:
        """All rows in the order of their insertion; a batch ends at 500 rows or 8 million characters.

        Raises `ImportRefused` naming table, row and column for text that is broken or cannot be stored.
        """
        query = sa.select(*table.columns).order_by(_ROWID)
        result = self.connection.execute(query if only is None else query.where(only)).mappings()
        batch: list[Row] = []
        characters = 0
        for found in result:
            row = dict(found)
            characters += self._check(str(table.description), key, row)
            batch.append(row)
            if len(batch) == _ROWS or characters > _CHARACTERS:
                yield batch
                batch, characters = [], 0
        if batch:
            yield batch

    def matching(self, table: sa.Table, column: str, values: Sequence[str]) -> list[Row]:
        """The rows whose column is one of these."""
        query = sa.select(*table.columns).where(table.c[column].in_(values))
        rows = [dict(found) for found in self.connection.execute(query).mappings()]
        for row in rows:
            self._check(table.name, [column], row)
        return rows

    def present(self, column: sa.Column[str], values: Sequence[str]) -> set[str]:
        """Which of these values the column has."""
        return set(self.connection.scalars(sa.select(column).where(column.in_(values))))

    def _check(self, table: str, key: Sequence[str], row: Row) -> int:
        """Refuse what cannot be stored; answers how much text the row has."""
        characters = 0
        for name, value in row.items():
            if isinstance(value, str):
                characters += len(value)
                if self._refuse_nul and "\0" in value:
                    raise _refused("contains NUL bytes, which PostgreSQL cannot store", table, key, name, row)
            elif isinstance(value, BrokenText):
                raise _refused("is not valid UTF-8", table, key, name, row)
        for name in key:
            if isinstance(row[name], bytes):
                raise _refused("is not text", table, key, name, row)
        return characters


def _refused(what: str, table: str, key: Sequence[str], column: str, row: Row) -> ImportRefused:
    named = [row[name] if isinstance(row[name], str | int) else repr(row[name]) for name in key]
    place = row_key(dict(zip(key, named, strict=True)), key)
    return ImportRefused(
        f"The value of {column} in row {place} of {table} {what}.",
        field="file",
        remedy=f"Mend or remove it with the sqlite3 shell while InvokeAI is stopped: table {table}, column {column}.",
    )
