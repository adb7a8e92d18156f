"""Brings the rows of one table after the other over, batch by batch, inside somebody else's transaction."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa

from tenantry.database import Connection, timestamp
from tenantry.database.clock import Clock
from tenantry.database.tables import import_residue, queue_counts, users
from tenantry.errors import ImportRefused
from tenantry.invokeai.mapping import Mapping, Row
from tenantry.invokeai.reader import SourceReader
from tenantry.invokeai.reports import Progress, TableImport
from tenantry.invokeai.residue import Residue, differences, keep_residue, whole_row
from tenantry.invokeai.writer import Outcome, write_rows

__all__ = ["Bringing", "Resolve"]

Resolve = Callable[[list[Row], list[Row]], Awaitable[list[Row | None]]]
"""Completes our rows (second) of a batch of theirs (first) with what stands elsewhere; None for a row without a place."""


class Bringing:
    """One import under way: what it reads from, where it writes to, and its counts."""

    def __init__(self, reader: SourceReader, connection: Connection, clock: Clock, progress: Progress) -> None:
        self.reader = reader
        self.connection = connection
        self.reports: dict[str, TableImport] = {}
        self.added: Counter[str] = Counter()
        self.former_owners = 0
        self.untouched = False
        self.clock = clock
        self._progress = progress
        self._users: set[str] = set()
        self._before: dict[str, int] = {}

    async def look(self, targets: Sequence[sa.Table]) -> None:
        """Remember what is there before the first row, and keep other writers out until the end."""
        if self.connection.dialect == "postgresql":
            # Counts are written last, and locked now, so that nobody who holds them waits for this import meanwhile.
            names = ", ".join(table.name for table in (*targets, queue_counts))
            await self.connection.execute(sa.text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        for table in targets:
            self._before[table.name] = await self._count(table)
        self._users = {row.user_id for row in await self.connection.fetch_all(sa.select(users.c.user_id))}
        persons = await self.connection.fetch_value(sa.select(sa.func.count()).where(users.c.kind == "person"))
        self.untouched = not persons and not await self._count(import_residue)

    def report(self, table: str) -> TableImport:
        return self.reports.setdefault(table, TableImport(table))

    async def bring(
        self, mapping: Mapping, *, resolve: Resolve | None = None, key: tuple[str, ...] | None = None, seeded: bool = False
    ) -> None:
        """Bring a table over. A `seeded` one may hold rows of a fresh installation, which the file's replace."""
        report = self.report(mapping.name)
        total = self.reader.count(mapping.source)
        self._progress(mapping.name, 0, total)
        for originals in self.reader.batches(mapping.source, mapping.key):
            await self._bring_batch(mapping, originals, resolve, key or mapping.target_key, seeded and self.untouched)
            report.read += len(originals)
            self._progress(mapping.name, report.read, total)

    async def set_aside(
        self, table: sa.FromClause, name: str, key: Sequence[str], *, only: sa.ColumnElement[bool] | None = None
    ) -> None:
        """Keep rows that have no place in the schema as they are."""
        self.report(name)
        for originals in self.reader.batches(table, key, only=only):
            self.report(name).read += len(originals)
            await self.keep_whole(name, originals, key)
            self._progress(name, self.report(name).read, self.report(name).read)

    async def keep_whole(self, name: str, originals: Sequence[Row], key: Sequence[str]) -> None:
        kept = await keep_residue(self.connection, name, [whole_row(name, row, key) for row in originals])
        self.report(name).aside += kept
        self.report(name).unchanged += len(originals) - kept

    async def mend(self, report: TableImport, residue: Sequence[Residue]) -> None:
        """Keep the original values of what was changed."""
        await keep_residue(self.connection, report.table, residue)
        report.mended += len({each.key for each in residue})

    async def ensure_users(self, wanted: set[str]) -> None:
        """Make hidden owners for rows whose user is gone, so that nobody else comes to own them."""
        missing = sorted(wanted - self._users)
        now = timestamp(self.clock())
        await self.connection.execute_many(
            sa.insert(users),
            [
                {"user_id": user, "kind": "tombstone", "created_at": now, "updated_at": now, "is_active": False}
                for user in missing
            ],
        )
        self._users.update(missing)
        self.added[users.name] += len(missing)
        self.former_owners += len(missing)

    def knows_user(self, user_id: str) -> bool:
        return user_id in self._users

    def add_users(self, user_ids: Sequence[str]) -> None:
        """Note users that were written."""
        self._users.update(user_ids)

    async def confirm(self, targets: Sequence[sa.Table]) -> None:
        """Count again. Raises `ImportRefused` when a row was lost on the way."""
        for table in targets:
            if await self._count(table) != self._before[table.name] + self.added[table.name]:
                raise ImportRefused(f"Not every row of {table.name} arrived.", field="file", remedy="Report this.")
        for report in self.reports.values():
            if report.read != report.written + report.unchanged + report.aside:
                raise ImportRefused(f"Not every row of {report.table} was placed.", field="file", remedy="Report this.")

    async def _bring_batch(
        self, mapping: Mapping, originals: list[Row], resolve: Resolve | None, key: tuple[str, ...], replace: bool
    ) -> None:
        report = self.report(mapping.name)
        rows: list[Row | None] = [mapping.bring(original) for original in originals]
        if resolve is not None:
            rows = await resolve(originals, [row for row in rows if row is not None])
        placed = [(original, row) for original, row in zip(originals, rows, strict=True) if row is not None]
        await self.keep_whole(
            mapping.name, [each for each, row in zip(originals, rows, strict=True) if row is None], mapping.key
        )
        ready = [row for _, row in placed]
        if mapping.target is not users:
            await self.ensure_users({row["user_id"] for row in ready if "user_id" in row})
        outcomes = await write_rows(self.connection, mapping.target, key, ready, replace=replace)
        written = [pair for pair, outcome in zip(placed, outcomes, strict=True) if outcome is not Outcome.UNCHANGED]
        await self.mend(report, [each for original, row in written for each in differences(mapping, original, row)])
        fresh = outcomes.count(Outcome.WRITTEN)
        report.written += len(outcomes) - outcomes.count(Outcome.UNCHANGED)
        report.unchanged += outcomes.count(Outcome.UNCHANGED)
        self.added[mapping.target.name] += fresh

    async def _count(self, table: sa.Table) -> int:
        found: int = await self.connection.fetch_value(sa.select(sa.func.count()).select_from(table))
        return found
