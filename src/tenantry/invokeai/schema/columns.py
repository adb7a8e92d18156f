"""How InvokeAI declares its columns: by SQLite's own type names, holding whatever was put into them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

__all__ = [
    "NOW",
    "Declared",
    "boolean",
    "column",
    "created_at",
    "deleted_at",
    "derived",
    "moment",
    "schema",
    "text",
    "updated_at",
]

schema = sa.MetaData()
"""InvokeAI 6.14's database. Its constraints have no names, so there is no naming convention."""

NOW = "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')"
"""SQL: the present moment in UTC with milliseconds."""


class Declared(sa.types.UserDefinedType[Any]):
    """A type name. Values pass as they are, because a SQLite column may hold values of any type."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


def column(name: str, declared: str, *rules: SchemaItem, required: bool = False, default: str | None = None) -> sa.Column[Any]:
    """A column of a declared type; `default` is SQL."""
    return sa.Column(
        name,
        Declared(declared),
        *rules,
        nullable=not required,
        server_default=None if default is None else sa.text(default),
    )


def text(name: str, *rules: SchemaItem, required: bool = False, default: str | None = None) -> sa.Column[Any]:
    return column(name, "TEXT", *rules, required=required, default=default)


def boolean(name: str, *, required: bool = False, default: bool | None = False) -> sa.Column[Any]:
    return column(name, "BOOLEAN", required=required, default=None if default is None else str(default).upper())


def moment(name: str, *, required: bool = False, default: str | None = None) -> sa.Column[Any]:
    return column(name, "DATETIME", required=required, default=None if default is None else f"({default})")


def created_at() -> sa.Column[Any]:
    return moment("created_at", required=True, default=NOW)


def updated_at() -> sa.Column[Any]:
    return moment("updated_at", required=True, default=NOW)


def deleted_at() -> sa.Column[Any]:
    """Unused by InvokeAI."""
    return moment("deleted_at")


def derived(name: str, path: str, *, of: str, declared: str = "TEXT", required: bool = True) -> sa.Column[Any]:
    """A column that SQLite reads from a JSON document at each look."""
    rule = sa.Computed(f"json_extract({of}, '{path}')", persisted=False)
    return column(name, declared, rule, required=required)
