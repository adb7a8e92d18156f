"""What the database knows of turns: who waits, what limits them, and whose turn it was last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.dialects.postgresql import Insert as PostgreSQLInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tenantry.database import Dialect, Query
from tenantry.database.listed import Listed
from tenantry.database.tables import queue_counts, queue_defaults, queue_items, queue_limits, queue_turns, queues, workers
from tenantry.errors import LeaseLost, NotFound
from tenantry.queue.base import ALL_QUEUES, QueueRepository, shared_moment
from tenantry.queue.conditions import counts_everything, has_status, is_available, waits, written
from tenantry.queue.fairness import Order, Turn, stride
from tenantry.queue.states import Status

__all__ = ["Scheduling", "Served", "Waiting", "turns_of"]


_ZERO: ColumnElement[int] = sa.literal_column("0", sa.Integer())
_ONE: ColumnElement[int] = sa.literal_column("1", sa.Integer())
"""Constants are written out: each bound value costs time at each execution."""


class Scheduling(QueueRepository):
    """Reads and writes what decides whose turn comes next; only under the lock is it sure."""

    __slots__ = ()

    async def _lock(self) -> None:
        """Take the scheduling lock: whoever claims next waits here until this transaction ends. On SQLite nobody else writes.

        One lock for all queues, because turns across all queues are counted too. What is read after it is read in a statement
        of its own, so that it shows what the last holder left (measured: one statement's snapshot is older than its lock).
        """
        if self._dialect == "postgresql":
            await self._connection.fetch_one(_scheduling_lock())

    async def _waiting(
        self, queue_id: str | None, order: Order, *, worker_id: str | None = None, first: bool = False
    ) -> list["Waiting"]:
        """Who waits and may be served, queue by queue; `first`: only whose turn is next.

        Raises `NotFound` for an unknown worker that asks, and `LeaseLost` for one whose lease has expired.
        """
        parameters: dict[str, object] = {"at": self._now(), "domain": queue_id or ALL_QUEUES, "of_worker": worker_id}
        query = _waiting(order, queue_id is not None, self._by_database, first)
        found = await self._connection.fetch_all(query, {**parameters, **self._moment()})
        if worker_id is not None and found and not found[0].is_alive:
            raise NotFound("worker") if found[0].is_alive is None else LeaseLost(0)
        return [Waiting(*tuple(row)[:-1]) for row in found]

    async def _serve(self, last_claim: int, turns: Mapping[tuple[str, str], "Served"]) -> None:
        """Note who was served, by queue and user, and in the order of everybody."""
        together: dict[str, Served] = {}
        for (_, user_id), served in turns.items():
            before = together.get(user_id, Served(0, 0, 0))
            items = before.items + served.items
            together[user_id] = Served(items, max(before.last_claim, served.last_claim), served.stride)
        everybody = [((ALL_QUEUES, user_id), served) for user_id, served in together.items()]
        rows = [
            (*key, served.items * served.stride, served.last_claim, served.stride)
            for key, served in (*turns.items(), *everybody)
        ]
        packed = {**_turns(self._dialect).pack(sorted(rows)), "at": self._now(), "last_claim": last_claim}
        if self._dialect == "sqlite":
            await self._connection.execute(_serve(self._dialect), packed)
        await self._connection.execute(_advance(self._dialect), packed)


@dataclass(frozen=True, slots=True)
class Served:
    """What a user was given: how many items, the number of the last claim, and what a turn of theirs takes."""

    items: int
    last_claim: int
    stride: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A user who waits in one queue, in how many they do, and what the scheduling's state is for everybody."""

    queue_id: str
    user_id: str
    items: int
    in_queues: int
    room: int | None
    weight: float
    virtual_finish: int
    served: int
    started_at: str
    first_item: int | None
    first_priority: int | None
    all_claims: int
    domain_time: int
    put_first: bool

    @property
    def stride(self) -> int:
        return stride(self.weight)


def turns_of(waiting: Iterable[Waiting]) -> list[Turn]:
    """One turn a user, whatever the number of queues in which they wait."""
    turns: dict[str, Turn] = {}
    for each in waiting:
        room = each.items if each.room is None else each.room
        turn = turns.get(each.user_id)
        if turn is None:
            turns[each.user_id] = Turn(
                each.user_id,
                min(each.items, room),
                each.stride,
                each.virtual_finish,
                each.served,
                each.started_at,
                each.first_item or 0,
            )
        else:
            turn.items = turn.items + each.items if each.room is None else min(turn.items + each.items, each.room)
            turn.first = min(turn.first, each.first_item or 0)
    return list(turns.values())


@cache
def _scheduling_lock() -> Select[Any]:
    # Where statistics are old, as after the first thousand items of a quiet day, PostgreSQL takes an index for good that finds
    # thousands, and sorts them. Without sorting it walks a user's line in its order (measured: 0.05 ms against 5).
    in_order = sa.func.set_config(written("enable_sort"), written("off"), sa.true())
    # For some statements it thinks that a plan of their own is worth its time (measured: a third of a claim's).
    planned_once = sa.func.set_config(written("plan_cache_mode"), written("force_generic_plan"), sa.true())
    return sa.select(queues.c.queue_id, in_order, planned_once).where(queues.c.queue_id == ALL_QUEUES).with_for_update()


@cache
def _waiting(order: Order, one_queue: bool, by_database: bool, first: bool) -> Select[Any]:
    """Users with pending items who may be served, with their turns; costs as much as there are users who wait.

    What is the same for everybody is asked in sub-selects that are evaluated once. `first`: only whose turn is next.
    """
    counts, turns = queue_counts.c, queue_turns.c
    worker = workers.c.worker_id == sa.bindparam("of_worker", type_=sa.Text())
    max_running = _limit("max_running")
    put_first = sa.select(queue_items.c.put_first).where(queue_items.c.put_first.is_not(None))
    item, priority = _head(_unserved() if order is Order.FAIR and not first else None)
    query = (
        sa.select(
            counts.queue_id,
            counts.user_id,
            counts["items"].label("waiting_items"),
            (_ONE if one_queue else _in_queues()).label("in_queues"),
            sa.case((max_running.is_not(None), max_running - _running())).label("room"),
            sa.func.coalesce(_limit("weight"), sa.literal_column("1.0")).label("weight"),
            sa.func.coalesce(turns.virtual_finish, _ZERO).label("virtual_finish"),
            sa.func.coalesce(turns.served, _ZERO).label("served"),
            sa.func.coalesce(turns.started_at, written("")).label("started_at"),
            item.label("first_item"),
            (priority if first else sa.null()).label("first_priority"),
            _once(sa.select(queues.c.claims).where(queues.c.queue_id == written(ALL_QUEUES))).label("all_claims"),
            _domain_time().label("domain_time"),
            # In the order of its index: where statistics are old, PostgreSQL would look for one among all items.
            _once(_one_of(put_first.order_by(queue_items.c.put_first))).is_not(None).label("put_first"),
            _once(sa.select(workers.c.expires_at > shared_moment(by_database)).where(worker)).label("is_alive"),
        )
        .select_from(_counts_with_turns())
        .where(has_status(counts, Status.PENDING), counts_everything(counts))
    )
    if not first:
        return query.where(*_may_be_served(one_queue))
    # Who that is takes less to know of each than what is to be known of one.
    following = _next(order, one_queue).subquery("following")
    return query.where(counts.queue_id == following.c.queue_id, counts.user_id == following.c.user_id)


def _next(order: Order, one_queue: bool) -> Select[Any]:
    """Whose turn is next, in the order of `fairness.plan`."""
    counts, turns = queue_counts.c, queue_turns.c
    item, priority = _head(_unserved() if order is Order.FAIR else None)
    finish, begun = sa.func.coalesce(turns.virtual_finish, _ZERO), _domain_time()
    places: dict[Order, tuple[ColumnElement[Any], ...]] = {
        Order.FAIR: (sa.case((finish > begun, finish), else_=begun), sa.func.coalesce(turns.served, _ZERO), item),
        Order.ROUND_ROBIN: (sa.func.coalesce(turns.started_at, written("")), item),
        Order.FIFO: (priority.desc(), item),
    }
    query = sa.select(counts.queue_id, counts.user_id).select_from(_counts_with_turns()).where(*_may_be_served(one_queue))
    return _one_of(query.order_by(*places[order], counts.user_id))


def _counts_with_turns() -> sa.Join:
    counts, turns = queue_counts.c, queue_turns.c
    mine = sa.and_(turns.queue_id == sa.bindparam("domain", type_=sa.Text()), turns.user_id == counts.user_id)
    return queue_counts.outerjoin(queue_turns, mine).outerjoin(queue_limits, queue_limits.c.user_id == counts.user_id)


def _may_be_served(one_queue: bool) -> list[ColumnElement[bool]]:
    """Users who wait, whom neither a pause nor the limit of what runs at once keeps from it."""
    counts = queue_counts.c
    max_running = _limit("max_running")
    conditions = [
        waits(),
        counts.queue_id.not_in(sa.select(queues.c.queue_id).where(queues.c.paused)),
        ~sa.exists().where(queues.c.queue_id == written(ALL_QUEUES), queues.c.paused),
        sa.or_(queue_limits.c.paused.is_(None), sa.not_(queue_limits.c.paused)),
        sa.or_(max_running.is_(None), max_running > _running()),
    ]
    if one_queue:
        return [*conditions, counts.queue_id == sa.bindparam("domain", type_=sa.Text())]
    # True of all, and lets SQLite take the index of those who wait instead of going through everybody's counts.
    return [*conditions, counts.queue_id > written("")]


def _domain_time() -> ColumnElement[int]:
    """The virtual time of what is claimed from: a queue, or all."""
    return _time_of(sa.bindparam("domain", type_=sa.Text()))


def _unserved() -> ColumnElement[bool]:
    return sa.func.coalesce(queue_turns.c.served, _ZERO) == _ZERO


def _once(query: Select[Any]) -> ColumnElement[Any]:
    return query.scalar_subquery()


def _one_of(query: Select[Any]) -> Select[Any]:
    return query.limit(_ONE).offset(_ZERO)


def _limit(name: str) -> ColumnElement[Any]:
    """The user's exception, else what holds for everybody."""
    default = _once(sa.select(queue_defaults.c[name]).where(queue_defaults.c.row_number == _ONE))
    return sa.func.coalesce(queue_limits.c[name], default)


def _running() -> ColumnElement[int]:
    """How many items of the user run, in all queues."""
    others = queue_counts.alias("running")
    running = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(others.c["items"]), _ZERO), sa.BigInteger)).where(
        others.c.user_id == queue_counts.c.user_id,
        has_status(others.c, Status.IN_PROGRESS),
        counts_everything(others.c),
    )
    return running.correlate(queue_counts).scalar_subquery()


def _in_queues() -> ColumnElement[int]:
    """In how many queues the user waits."""
    others = queue_counts.alias("others")
    waiting = sa.select(sa.func.count()).where(
        others.c.user_id == queue_counts.c.user_id,
        has_status(others.c, Status.PENDING),
        counts_everything(others.c),
        others.c["items"] > _ZERO,
    )
    return waiting.correlate(queue_counts).scalar_subquery()


def _head(wanted: ColumnElement[bool] | None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Number and priority of the user's next item, for those users of whom it is wanted.

    Of users who take turns fairly that is only those who never had one; among the others the last claim's number decides.
    """
    items = queue_items.c
    mine = (
        items.queue_id == queue_counts.c.queue_id,
        items.user_id == queue_counts.c.user_id,
        is_available(sa.bindparam("at", type_=sa.Text())),
    )
    found = [
        _once(_one_of(sa.select(column).where(*mine).order_by(items.priority.desc(), items.item_id)).correlate(queue_counts))
        for column in (items.item_id, items.priority)
    ]
    if wanted is None:
        return found[0], found[1]
    return sa.case((wanted, found[0])), sa.null()


@cache
def _serve(dialect: Dialect) -> SQLiteInsert | PostgreSQLInsert:
    """Let turns begin at their queue's virtual time, or where the user's last one ended if that is later."""
    given, turns = _turns(dialect).rows.c, queue_turns.c
    names = ["queue_id", "user_id", "virtual_finish", "served", "started_at"]
    at = sa.bindparam("at", type_=sa.Text())
    rows = sa.select(given.queue_id, given.user_id, given.taken + _time_of(given.queue_id), given.served, at).where(sa.true())
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    adding = insert(queue_turns).from_select(names, rows.order_by(given.order))
    # What would be inserted begins at the queue's virtual time; the user's last turn may have ended later.
    now = _time_of(sa.literal_column("queue_turns.queue_id", sa.Text()))
    begins = sa.case((turns.virtual_finish > now, turns.virtual_finish), else_=now)
    changed = {
        "virtual_finish": begins + adding.excluded.virtual_finish - now,
        "served": adding.excluded.served,
        "started_at": adding.excluded.started_at,
    }
    return adding.on_conflict_do_update(index_elements=[turns.queue_id, turns.user_id], set_=changed)


def _time_of(queue_id: ColumnElement[str]) -> ColumnElement[int]:
    found = sa.select(queues.c.virtual_time).where(queues.c.queue_id == queue_id).scalar_subquery()
    return sa.func.coalesce(found, _ZERO)


@cache
def _advance(dialect: Dialect) -> Query:
    """Count the claims, and let virtual time go on to where the last turn of each queue began.

    PostgreSQL notes the turns in the same statement; SQLite cannot, and has noted them before.
    """
    given = _turns(dialect).rows
    turns: sa.FromClause = queue_turns
    if dialect == "postgresql":
        turns = _serve(dialect).returning(*queue_turns.c).cte("served")
    same = sa.and_(turns.c.queue_id == given.c.queue_id, turns.c.user_id == given.c.user_id)
    begun = (
        sa.select(given.c.queue_id, sa.func.max(turns.c.virtual_finish - given.c.stride).label("begun"))
        .select_from(given.join(turns, same))
        .group_by(given.c.queue_id)
        .subquery("begun")
    )
    is_all = queues.c.queue_id == sa.literal_column(f"'{ALL_QUEUES}'")
    last_claim = sa.bindparam("last_claim", type_=sa.BigInteger())
    return (
        sa.update(queues)
        .where(queues.c.queue_id == begun.c.queue_id)
        .values(
            {
                queues.c.claims: sa.case((is_all, last_claim), else_=queues.c.claims),
                queues.c.virtual_time: sa.case(
                    (begun.c.begun > queues.c.virtual_time, begun.c.begun), else_=queues.c.virtual_time
                ),
            }
        )
    )


@cache
def _turns(dialect: Dialect) -> Listed:
    number = sa.BigInteger()
    return Listed(dialect, "turns", queue_id=sa.Text(), user_id=sa.Text(), taken=number, served=number, stride=number)
