"""The one place that changes an item's status.

A change names the status that it expects; the database compares it in the same statement, so of several that try at once one
wins. Counts, turns' limits and events follow from what the statement says that it changed.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row

from tenantry.database import Dialect, Query
from tenantry.database.listed import Listed
from tenantry.database.tables import batches, queue_items, workers
from tenantry.errors import IllegalTransition
from tenantry.queue.base import QueueRepository, shared_moment
from tenantry.queue.changes import ItemChanged
from tenantry.queue.conditions import has_status, written
from tenantry.queue.rules import QueueRules
from tenantry.queue.states import FINAL, Status, may_become
from tenantry.repositories.base import Ground
from tenantry.repositories.queue_counts import Counted, add_to_counts

__all__ = ["Move", "Moved", "Transitions", "destination_of_item"]


class Move(NamedTuple):
    """What becomes of one item, and who may say so: only the worker that holds this attempt, where one is named."""

    item_id: int
    worker_id: str | None = None
    attempt: int | None = None
    claim_number: int | None = None
    device: str | None = None
    not_before: str | None = None
    losses: int | None = None
    session: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_traceback: str | None = None


class Moved(NamedTuple):
    """An item whose status was changed."""

    item_id: int
    queue_id: str
    user_id: str
    batch_key: int
    destination: str | None
    attempt: int
    status_sequence: int


_PLACE = attrgetter("queue_id", "user_id", "destination")
"""Where a moved item is counted."""

_ZERO: ColumnElement[int] = sa.literal_column("0", sa.Integer())
_ONE: ColumnElement[int] = sa.literal_column("1", sa.Integer())

_LISTED: dict[str, sa.types.TypeEngine[Any]] = {
    "item_id": sa.BigInteger(),
    "worker_id": sa.Text(),
    "attempt": sa.Integer(),
    "claim_number": sa.BigInteger(),
    "device": sa.Text(),
    "not_before": sa.Text(),
    "losses": sa.Integer(),
    "session": sa.Text(),
    "error_type": sa.Text(),
    "error_message": sa.Text(),
    "error_traceback": sa.Text(),
}


class Transitions(QueueRepository):
    """Changes of items' status, for the repositories that decide which."""

    __slots__ = ("_gathered",)

    def __init__(self, ground: Ground, rules: QueueRules) -> None:
        super().__init__(ground, rules)
        self._gathered: Counter[Counted] | None = None

    @asynccontextmanager
    async def _counting_once(self) -> AsyncIterator[None]:
        """Gather what several changes count, and add it in one statement at the end.

        Everybody takes items before counts, and counts once, so that two never wait for each other in a circle.
        """
        if self._gathered is not None:
            yield
            return
        self._gathered = Counter()
        try:
            yield
        except BaseException:
            # Whoever goes on after an error of ours finds the counts right; after one of the database nobody does.
            with suppress(Exception):
                await add_to_counts(self._connection, self._take_gathered())
            raise
        await add_to_counts(self._connection, self._take_gathered())

    def _take_gathered(self) -> Mapping[Counted, int]:
        gathered, self._gathered = self._gathered, None
        return gathered or {}

    async def _add_up(self, changes: Mapping[Counted, int]) -> None:
        if self._gathered is None:
            await add_to_counts(self._connection, changes)
        else:
            for key, items in changes.items():
                self._gathered[key] += items

    async def _hold(self, condition: ColumnElement[bool]) -> None:
        """Keep others from changing these items, in the order that all keep to; on SQLite nobody else writes."""
        if self._dialect == "postgresql":
            items = sa.select(queue_items.c.item_id).where(condition).order_by(queue_items.c.item_id)
            await self._connection.fetch_all(items.with_for_update())

    async def _move(
        self,
        before: Status,
        after: Status,
        moves: Sequence[Move],
        *,
        fenced: bool = False,
        as_invokeai: bool = False,
        quietly: bool = False,
    ) -> list[Moved]:
        """Change those items that have the expected status; answers them, in no order.

        `fenced`: also only those that the named worker holds in the named attempt under a lease that has not expired.
        `quietly`: without an `ItemChanged` each, where another change tells of all.
        Raises `IllegalTransition` for a change that no item may make.
        """
        if not may_become(before, after, as_invokeai=as_invokeai):
            raise IllegalTransition(before, after)
        if not moves:
            return []
        said, rows = _said(sorted(moves, key=attrgetter("item_id")))
        statement, listed = _move(self._dialect, before, after, said, fenced, fenced and self._by_database)
        clock = self._moment() if fenced else {}
        found = await self._connection.fetch_all(statement, {**listed.pack(rows), "at": self._now(), **clock})
        return await self._settle(before, after, found, quietly=quietly)

    async def _sweep(
        self, before: Status, after: Status, condition: ColumnElement[bool], *, quietly: bool = False
    ) -> list[Moved]:
        """Change all items of the expected status that meet a condition; answers them, in no order."""
        if not may_become(before, after):
            raise IllegalTransition(before, after)
        meant = sa.select(queue_items.c.item_id).where(has_status(queue_items.c, before), condition)
        if self._dialect == "postgresql":
            # In one order for everybody, so that two sweeps never wait for each other in a circle.
            meant = meant.order_by(queue_items.c.item_id).with_for_update()
        change = (
            sa.update(queue_items)
            .where(queue_items.c.item_id.in_(meant), has_status(queue_items.c, before))
            .values(_set(before, after))
            .returning(*_returned())
        )
        found = await self._connection.fetch_all(change, {"at": self._now()})
        return await self._settle(before, after, found, quietly=quietly)

    async def _settle(self, before: Status, after: Status, rows: Sequence[Row[Any]], *, quietly: bool) -> list[Moved]:
        moved = [Moved._make(row) for row in rows]
        counts: Counter[Counted] = Counter()
        for place, items in Counter(map(_PLACE, moved)).items():
            counts[Counted(*place, before.value)] -= items
            counts[Counted(*place, after.value)] += items
        await self._add_up(counts)
        if not quietly:
            self._record(
                *(
                    ItemChanged(item.user_id, item.queue_id, item.item_id, item.batch_key, before, after, item.status_sequence)
                    for item in moved
                )
            )
        return moved


def _said(moves: Sequence[Move]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The names of what is said of any of the items, and the rows of it; what is said of none is neither sent nor set."""
    columns = {
        name: values
        for name, values in zip(Move._fields, zip(*moves, strict=True), strict=True)
        if values.count(None) < len(values)
    }
    return tuple(columns), list(zip(*columns.values(), strict=True))


def _set(before: Status, after: Status) -> dict[Any, Any]:
    """What every change to this status sets (contract, section 4.9)."""
    at = sa.bindparam("at", type_=sa.Text())
    items = queue_items.c
    changes: dict[Any, Any] = {
        items.status: written(after.value),
        items.put_first: sa.null(),
        items.status_sequence: items.status_sequence + _ONE,
        items.updated_at: at,
        items.error_type: sa.null(),
        items.error_message: sa.null(),
        items.error_traceback: sa.null(),
    }
    if after is Status.IN_PROGRESS:
        changes[items.started_at] = at
        changes[items.not_before] = sa.null()
    if after in FINAL:
        changes[items.completed_at] = at
    return changes


def _returned() -> list[ColumnElement[Any]]:
    items = queue_items.c
    destination = destination_of_item()
    return [
        items.item_id,
        items.queue_id,
        items.user_id,
        items.batch_key,
        destination.label("destination"),
        items.attempt,
        items.status_sequence,
    ]


def destination_of_item() -> ColumnElement[str | None]:
    """In RETURNING: the item's destination, which its batch knows.

    Names are written out, because SQLAlchemy leaves the tables' names out of what SQLite returns.
    """
    same = sa.text("batches.batch_key = queue_items.batch_key")
    return sa.select(sa.literal_column("batches.destination", sa.Text())).select_from(batches).where(same).scalar_subquery()


@cache
def _move(
    dialect: Dialect, before: Status, after: Status, said: tuple[str, ...], fenced: bool, by_database: bool
) -> tuple[Query, Listed]:
    listed = Listed(dialect, "moves", **{name: _LISTED[name] for name in said})
    given, items = listed.rows.c, queue_items.c
    changes = _set(before, after)
    changes |= {items[name]: given[name] for name in said if name.startswith("error_")}
    kept = {"device", "session"}
    if after is Status.IN_PROGRESS:
        kept |= {"worker_id", "claim_number"}
        if before is not after:
            changes[items.attempt] = items.attempt + _ONE
    if after is Status.PENDING:
        changes |= {items.worker_id: sa.null(), items.not_before: given.not_before if "not_before" in said else sa.null()}
        if "losses" in said:
            changes[items.losses] = items.losses + sa.func.coalesce(given.losses, _ZERO)
    # Where it is said of some items only, the others keep what they have.
    changes |= {items[name]: sa.func.coalesce(given[name], items[name]) for name in said if name in kept}
    # Expressions, so that no planner looks for each item among all that wait, or that the worker holds (measured on PostgreSQL:
    # 500 items in 69 ms instead of 11).
    nothing = sa.literal_column("''", sa.Text())
    wanted = [items.item_id == given.item_id, items.status + nothing == written(before.value)]
    if fenced:
        held = sa.exists().where(workers.c.worker_id == items.worker_id, workers.c.expires_at > shared_moment(by_database))
        wanted += [items.worker_id + nothing == given.worker_id, items.attempt == given.attempt, held]
    return sa.update(queue_items).where(*wanted).values(changes).returning(*_returned()), listed
