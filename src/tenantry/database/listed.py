"""Any number of rows as parameters of one statement: a JSON array on SQLite, an array a column on PostgreSQL."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import FromClause
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from tenantry.database.url import Dialect

__all__ = ["Listed"]

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Listed:
    """Rows of the given columns, to select from under `name`; `order` is their order.

    One statement serves any number of rows, so it is compiled once and sent once.
    """

    def __init__(self, dialect: Dialect, name: str, **columns: TypeEngine[Any]) -> None:
        self._dialect = dialect
        self._name = name
        self._columns = columns

    @cached_property
    def rows(self) -> FromClause:
        """What a statement selects from."""
        if self._dialect == "sqlite":
            each = sa.func.json_each(sa.bindparam(self._name, type_=sa.Text())).table_valued("key", "value")
            value: sa.ColumnElement[str] = each.c.value
            # Paths are written out: each bound value costs time at each execution.
            chosen = [
                sa.type_coerce(sa.func.json_extract(value, sa.literal_column(f"'$[{place}]'")), kind).label(name)
                for place, (name, kind) in enumerate(self._columns.items())
            ]
            return sa.select(*chosen, each.c.key.label("order")).select_from(each).subquery(self._name)
        arrays = [sa.bindparam(f"{self._name}_{name}", type_=ARRAY(kind)) for name, kind in self._columns.items()]
        typed = [sa.column(name, kind) for name, kind in self._columns.items()]
        return sa.func.unnest(*arrays).table_valued(*typed, with_ordinality="order", name=self._name).render_derived()

    def pack(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        """The parameters that carry these rows."""
        if self._dialect == "sqlite":
            return {self._name: _encode(rows)}
        columns = zip(*rows, strict=True) if rows else [()] * len(self._columns)
        return {f"{self._name}_{name}": list(values) for name, values in zip(self._columns, columns, strict=True)}
