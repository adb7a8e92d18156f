"""What an import brings and the schema has no place for, kept so that an export puts it back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.database.tables import import_residue
from tenantry.errors import ImportRefused
from tenantry.invokeai.mapping import Mapping, Row
from tenantry.invokeai.values import same
from tenantry.repositories.base import among

__all__ = [
    "ABSENT",
    "Residue",
    "differences",
    "find_residue",
    "keep_residue",
    "load_row",
    "mended",
    "put_back",
    "row_key",
    "whole_row",
]

ABSENT = "null"
"""In place of a whole row: the source had no such row, and an export leaves it out."""


@dataclass(frozen=True, slots=True)
class Residue:
    """A value of one column (`value` is a pair: the original, and what an export would write without it), or a whole row."""

    table: str
    key: str
    column: str | None
    value: str


def row_key(row: Row, columns: Sequence[str]) -> str:
    """A source row's primary key as text."""
    return _dump([row[name] for name in columns])


def whole_row(table: str, row: Row, key: Sequence[str]) -> Residue:
    """A row that has no place at all."""
    return Residue(table, row_key(row, key), None, _dump(row))


def differences(mapping: Mapping, original: Row, stored: Row) -> list[Residue]:
    """The values that an export would not write as they were."""
    given = mapping.give(stored).items()
    return [mended(mapping, original, column, value) for column, value in given if not same(value, original[column])]


def mended(mapping: Mapping, original: Row, column: str, written: object) -> Residue:
    """A single value that an export would write otherwise."""
    return Residue(mapping.name, row_key(original, mapping.key), column, _dump([original[column], written]))


def put_back(residue: Iterable[Residue], row: Row) -> Row:
    """Their row with its original values, except where ours was changed since the import."""
    restored = dict(row)
    for each in residue:
        if each.column is not None and each.column in row:
            original, written = _load(each.value)
            if same(row[each.column], written):
                restored[each.column] = original
    return restored


async def find_residue(connection: Connection, table: str, keys: Sequence[str]) -> dict[str, list[Residue]]:
    """What is kept of these rows, by key."""
    held = import_residue.c
    query = sa.select(held.row_key, held.column_name, held.value).where(
        held.source_table == table, among(connection.dialect, held.row_key, keys)
    )
    found: dict[str, list[Residue]] = {}
    for row in await connection.fetch_all(query):
        found.setdefault(row.row_key, []).append(Residue(table, row.row_key, row.column_name, row.value))
    return found


async def keep_residue(connection: Connection, table: str, wanted: Sequence[Residue]) -> int:
    """Keep what is not kept yet; answers how much that was. Raises `ImportRefused` when something else is kept in its place."""
    if not wanted:
        return 0
    kept = await find_residue(connection, table, list(dict.fromkeys(each.key for each in wanted)))
    known = {(each.key, each.column): each.value for found in kept.values() for each in found}
    for each in wanted:
        if known.get((each.key, each.column), each.value) != each.value:
            raise ImportRefused(
                f"The database already holds another row {each.key} of {table}.",
                field="file",
                remedy="Import into a database that holds nothing yet.",
            )
    fresh = [each for each in wanted if (each.key, each.column) not in known]
    await connection.execute_many(
        sa.insert(import_residue),
        [{"source_table": each.table, "row_key": each.key, "column_name": each.column, "value": each.value} for each in fresh],
    )
    return len(fresh)


def load_row(value: str) -> Row:
    """The row that a whole row's residue holds."""
    return {name: _decoded(each) for name, each in json.loads(value).items()}


def _load(value: str) -> list[object]:
    return [_decoded(each) for each in json.loads(value)]


def _dump(value: object) -> str:
    # ASCII: any text can then be stored, whatever the database thinks of it.
    return json.dumps(value, default=_encoded, separators=(",", ":"))


def _encoded(value: object) -> object:
    assert isinstance(value, bytes)
    return {"blob": value.hex()}


def _decoded(value: object) -> object:
    return bytes.fromhex(value["blob"]) if isinstance(value, dict) else value
