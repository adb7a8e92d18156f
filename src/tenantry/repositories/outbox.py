"""The outbox: events as they are stored, and the order in which they are delivered.

Ids are drawn before commits, so on PostgreSQL an event may become visible after one with a greater id. Its place is therefore
given after the commit, by one transaction at a time. On SQLite ids are in the order of commits, and are the places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from tenantry.database import Connection, Dialect, Query
from tenantry.database.listed import Listed
from tenantry.database.tables import events
from tenantry.repositories.privileged import PrivilegedWrites
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["FORGOTTEN", "NewEvent", "Outbox", "StoredEvent", "Stretch", "add_events", "forget_events"]

_PLACING = 7_310_585_470_211_003
"""Any number; whoever gives out places holds PostgreSQL's advisory lock of it."""


FORGOTTEN = "Forgotten"
"""The kind of an event of which only the place is left."""


class NewEvent(NamedTuple):
    """What happened to something of a user's, as it is stored; `body` is a JSON object."""

    user_id: str
    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event at its place. The time is UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    place: int
    user_id: str
    kind: str
    body: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The places of the oldest and the newest event that are kept; zeros where there was never one."""

    oldest: int
    newest: int


class Outbox(PrivilegedWrites):
    """What is stored for delivery. All of it is Tenantry's own: who may hear of what is decided at delivery."""

    __slots__ = ()

    async def give_places(self, most: int) -> int:
        """Give up to `most` events their places in the order of delivery; answers how many got one.

        Nothing is done, and 0 answered, while somebody else does it.
        """
        self._only_privileged("deliver events")
        if self._connection.dialect == "sqlite":
            return 0
        if not await self._connection.fetch_value(sa.select(sa.func.pg_try_advisory_xact_lock(_PLACING))):
            return 0
        # A statement of its own, so that it sees what the one before us has committed.
        return await self._connection.execute(_give_places(), {"most": most})

    async def after(self, place: int, most: int) -> list[StoredEvent]:
        """Up to `most` events after a place, in the order of delivery."""
        self._only_privileged("read others' events")
        rows = await self._connection.fetch_all(_after(self._connection.dialect), {"place": place, "most": most})
        return [StoredEvent(*tuple(row)) for row in rows]

    async def waiting_since(self, place: int) -> str | None:
        """When the oldest was stored of the events that come after a place, or have none yet; None where there is none."""
        self._only_privileged("read others' events")
        found = [event.created_at for event in await self.after(place, 1)]
        if self._connection.dialect == "postgresql":
            found += [row.created_at for row in await self._connection.fetch_all(_oldest_without_place())]
        return min(found, default=None)

    async def stretch(self) -> Stretch:
        """From where to where events are kept."""
        self._only_privileged("read others' events")
        place = _place(self._connection.dialect)
        row = await self._connection.fetch_one(
            sa.select(sa.func.min(place).label("oldest"), sa.func.max(place).label("newest"))
        )
        return Stretch(0, 0) if row is None or row.oldest is None else Stretch(row.oldest, row.newest)

    async def prune(self, before: str, most: int) -> int:
        """Delete events from before a time among the `most` oldest; answers how many. The newest of all stays.

        The newest tells which place comes next.
        """
        self._only_privileged("delete events")
        place = _place(self._connection.dialect)
        oldest = sa.select(place.label("place"), events.c.created_at).where(place.is_not(None)).order_by(place).limit(most)
        old = oldest.subquery("oldest")
        newest = sa.select(sa.func.max(place)).scalar_subquery()
        wanted = sa.select(old.c.place).where(old.c.created_at < before, old.c.place < newest)
        return await self._connection.execute(sa.delete(events).where(place.in_(wanted)))


async def add_events(connection: Connection, added: Sequence[NewEvent], created_at: str) -> None:
    """Store events in the transaction of what they tell of, as Tenantry itself or an administrator."""
    if len(added) == 1:
        await connection.execute(_ADD, {**added[0]._asdict(), "created_at": created_at})
    elif added:
        statement, listed = _add_many(connection.dialect)
        await connection.execute(statement, {**listed.pack(added), "created_at": created_at})


async def forget_events(connection: Connection, user_id: str) -> None:
    """Delete what is stored of a user's, as Tenantry itself or an administrator.

    Of the newest event of all the place stays, since it tells which comes next: one that is given twice is delivered once.
    """
    place, gone = _place(connection.dialect), events.c.user_id == user_id
    if connection.dialect == "postgresql":
        # Until the end of the transaction nobody gives places.
        await connection.fetch_value(sa.select(sa.func.pg_advisory_xact_lock(_PLACING)))
    newest = sa.select(sa.func.max(place)).scalar_subquery()
    await connection.execute(sa.delete(events).where(gone, sa.or_(place.is_(None), place < newest)))
    await connection.execute(sa.update(events).where(gone).values(user_id=SYSTEM_USER_ID, kind=FORGOTTEN, body="{}"))


# Inline: nobody asks for the row's id.
_ADD = (
    sa.insert(events).inline().values({name: sa.bindparam(name, type_=sa.Text()) for name in (*NewEvent._fields, "created_at")})
)


@cache
def _add_many(dialect: Dialect) -> tuple[Query, Listed]:
    listed = Listed(dialect, "added", user_id=sa.Text(), kind=sa.Text(), body=sa.Text())
    rows = sa.select(*(listed.rows.c[name] for name in NewEvent._fields), sa.bindparam("created_at", type_=sa.Text())).order_by(
        listed.rows.c.order
    )
    return sa.insert(events).from_select([*NewEvent._fields, "created_at"], rows), listed


def _place(dialect: Dialect) -> ColumnElement[int]:
    return events.c.event_id if dialect == "sqlite" else events.c.sequence


@cache
def _after(dialect: Dialect) -> Select[Any]:
    place = _place(dialect)
    return (
        sa.select(place, events.c.user_id, events.c.kind, events.c.body, events.c.created_at)
        .where(place > sa.bindparam("place"))
        .order_by(place)
        .limit(sa.bindparam("most"))
    )


@cache
def _oldest_without_place() -> Select[Any]:
    return sa.select(events.c.created_at).where(events.c.sequence.is_(None)).order_by(events.c.event_id).limit(1)


@cache
def _give_places() -> Query:
    number = sa.func.row_number().over(order_by=events.c.event_id)
    waiting = (
        sa.select(events.c.event_id, number.label("number"))
        .where(events.c.sequence.is_(None))
        .order_by(events.c.event_id)
        .limit(sa.bindparam("most"))
        .subquery("waiting")
    )
    last = events.alias("last")
    newest = sa.select(sa.func.coalesce(sa.func.max(last.c.sequence), 0)).scalar_subquery()
    return sa.update(events).where(events.c.event_id == waiting.c.event_id).values(sequence=newest + waiting.c.number)
