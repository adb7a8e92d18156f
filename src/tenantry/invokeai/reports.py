"""What an import or an export has done, for people to read."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ExportReport", "ImportReport", "Progress", "TableExport", "TableImport", "no_progress"]

Progress = Callable[[str, int, int], None]
"""Told the table, how many of its rows are done, and how many it has; at least once a table."""


def no_progress(table: str, done: int, total: int) -> None:
    """For callers that do not watch."""


@dataclass(slots=True)
class TableImport:
    """What became of one table's rows: each was written, was there already, or had no place and was kept aside.

    `mended` counts those among them of which single values had to be changed; an export changes them back.
    """

    table: str
    read: int = 0
    written: int = 0
    unchanged: int = 0
    aside: int = 0
    mended: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The tables in the order in which they were read; `former_owners` were unknown to the file's own users."""

    tables: tuple[TableImport, ...]
    former_owners: int
    legacy_assigned: int | None
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """False when the database already held everything."""
        return any(table.written or table.aside for table in self.tables)


@dataclass(frozen=True, slots=True)
class TableExport:
    """How many rows were written to one table."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The tables in the order in which they were written; `notes` say what InvokeAI's database cannot hold."""

    tables: tuple[TableExport, ...]
    notes: tuple[str, ...]
