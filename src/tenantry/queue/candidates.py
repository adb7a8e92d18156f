"""Which pending items come next, and which of them a device would rather have."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.database import Dialect
from tenantry.database.listed import Listed
from tenantry.database.tables import batches, queue_items
from tenantry.queue import affinity
from tenantry.queue.base import ALL_QUEUES
from tenantry.queue.conditions import is_available
from tenantry.queue.fairness import Order, plan
from tenantry.queue.scheduling import Scheduling, Waiting, turns_of
from tenantry.queue.sessions import Template
from tenantry.repositories.base import among_bound, bound

__all__ = ["Candidate", "Candidates", "ResidentModels", "template_of"]

ResidentModels = Callable[[str], Iterable[str]]
"""Names the keys of the models that a device holds in memory."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pending item at the head of its user's line."""

    item_id: int
    queue_id: str
    user_id: str
    priority: int
    put_first: int | None = None

    @property
    def place(self) -> tuple[int, int]:
        return -self.priority, self.item_id


class Candidates(Scheduling):
    """Chooses for the repository that claims, under its lock."""

    __slots__ = ()

    async def _next_users(self, worker_id: str, domain: str, order: Order, wanted: int) -> list[Waiting]:
        """Who may be served next: for one item that user, where one row tells all; else everybody who waits."""
        queue_id = None if domain == ALL_QUEUES else domain
        if wanted == 1:
            first = await self._waiting(queue_id, order, worker_id=worker_id, first=True)
            # Of a user whose items are all held back there is no first item, and it is another's turn.
            if not first or (first[0].in_queues == 1 and not first[0].put_first and first[0].first_item is not None):
                return first
        return await self._waiting(queue_id, order, worker_id=worker_id)

    async def _choose(self, waiting: list[Waiting], wanted: int, order: Order) -> list[Candidate]:
        """The items that come next, in order."""
        first = waiting[0]
        if first.first_item is not None and first.first_priority is not None and self._dialect == "sqlite":
            # It is known already. On PostgreSQL somebody else may be changing it at this moment.
            return [Candidate(first.first_item, first.queue_id, first.user_id, first.first_priority)]
        chosen = await self._put_first(waiting, wanted) if waiting[0].put_first else []
        virtual_time = waiting[0].domain_time
        turns = turns_of(waiting)
        for turn in turns:
            given = sum(each.user_id == turn.user_id for each in chosen)
            if given:
                turn.virtual_finish = max(turn.virtual_finish, virtual_time) + given * turn.stride
                turn.items -= given
        taken = {each.item_id for each in chosen}
        lines: dict[str, list[Candidate]] = {}
        while len(chosen) < wanted:
            missing = wanted - len(chosen)
            if order is Order.FIFO:
                users = [turn.user_id for turn in turns for _ in range(min(turn.items, missing))]
            else:
                users = plan(order, turns, missing, virtual_time)
            short = await self._fill(lines, users, waiting, taken)
            if not short:
                return chosen + _in_turn(order, users, lines)[:missing]
            # Of these users fewer can be had than were counted, because some are held back; plan again with what there is.
            for turn in turns:
                if turn.user_id in short:
                    turn.items = len(lines[turn.user_id])
        return chosen

    async def _fill(
        self, lines: dict[str, list[Candidate]], users: Sequence[str], waiting: Sequence[Waiting], taken: set[int]
    ) -> set[str]:
        """Read as many items of each user as they are named; answers the users who have fewer."""
        needed = Counter(users)
        missing = {user_id for user_id, most in needed.items() if len(lines.get(user_id, ())) < most}
        found: dict[str, list[Candidate]] = {user_id: [] for user_id in missing}
        places = [
            (each.queue_id, each.user_id, needed[each.user_id] + len(taken)) for each in waiting if each.user_id in missing
        ]
        for candidate in await self._heads(places):
            if candidate.item_id not in taken:
                found[candidate.user_id].append(candidate)
        for user_id, candidates in found.items():
            lines[user_id] = sorted(candidates, key=lambda each: each.place)[: needed[user_id]]
        return {user_id for user_id in missing if len(lines[user_id]) < needed[user_id]}

    async def _heads(self, places: Sequence[tuple[str, str, int]]) -> list[Candidate]:
        """The first items of some users' lines: of this queue and user so many."""
        at = {"at": self._now()}
        if self._dialect == "postgresql" and len(places) > 1:
            statement, listed = _lines()
            rows = list(await self._connection.fetch_all(statement, {**listed.pack(places), **at}))
        else:
            rows = []
            for queue_id, user_id, most in places:
                place = {"of_queue": queue_id, "of_user": user_id, "most": most}
                rows += await self._connection.fetch_all(_line(self._dialect), {**place, **at})
        return [Candidate(*tuple(row)) for row in rows]

    async def _put_first(self, waiting: Sequence[Waiting], wanted: int) -> list[Candidate]:
        """What an administrator put first, as far as its users may be served."""
        room = {each.user_id: each.room for each in waiting}
        here = {(each.queue_id, each.user_id) for each in waiting}
        chosen: list[Candidate] = []
        for row in await self._connection.fetch_all(_put_first(self._dialect), {"at": self._now()}):
            candidate = Candidate(*tuple(row))
            left = room.get(candidate.user_id)
            if (candidate.queue_id, candidate.user_id) not in here or left == 0 or len(chosen) == wanted:
                continue
            room[candidate.user_id] = None if left is None else left - 1
            chosen.append(candidate)
        return chosen

    async def _warmest(self, head: Candidate, resident: Iterable[str], waiting: Sequence[Waiting]) -> Candidate:
        """The item near the head of its user's line that uses most of the resident models; the head, if none uses any."""
        keys = sorted(set(resident))[: affinity.MAX_KEYS]
        if not keys:
            return head
        nearby: list[Row[Any]] = []
        for queue_id in [each.queue_id for each in waiting if each.user_id == head.user_id]:
            place = {"of_queue": queue_id, "of_user": head.user_id, "of_priority": head.priority}
            last = {"last": head.item_id + affinity.WINDOW, "at": self._now()}
            nearby += await self._connection.fetch_all(_nearby(self._dialect), {**place, **last})
        templates = await self._templates({row.batch_key for row in nearby if row.session is None})
        shared = {batch_key: affinity.shared_keys(keys, template) for batch_key, template in templates.items()}
        scores = {
            row: affinity.score(keys, row.field_values, row.session, shared.get(row.batch_key, frozenset())) for row in nearby
        }
        best = max(scores, key=lambda row: (scores[row], -row.item_id), default=None)
        if best is None or not scores[best]:
            return head
        return Candidate(best.item_id, best.queue_id, head.user_id, head.priority)

    async def _templates(self, batch_keys: Iterable[int]) -> dict[int, Template | None]:
        keys = bound(self._dialect, "batch_keys", sorted(batch_keys))
        return {row.batch_key: template_of(row) for row in await self._connection.fetch_all(_graphs(self._dialect), keys)}


def _in_turn(order: Order, users: Sequence[str], lines: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """Each user's next item where they are named; without turns, all by their place."""
    if order is Order.FIFO:
        return sorted((each for user in dict.fromkeys(users) for each in lines[user]), key=lambda each: each.place)
    rest = {user: iter(lines[user]) for user in dict.fromkeys(users)}
    return [next(rest[user]) for user in users]


def template_of(row: Row[Any]) -> Template | None:
    """The template of a batch's row; None where the items brought their sessions with them."""
    return None if row.graph is None else Template(row.graph, row.fields or "[]")


@cache
def _line(dialect: Dialect) -> Select[Any]:
    """The first items of one user's line in one queue."""
    return _first(dialect, *(sa.bindparam(name, type_=sa.Text()) for name in ("of_queue", "of_user"))).limit(
        sa.bindparam("most", type_=sa.Integer())
    )


@cache
def _lines() -> tuple[Select[Any], Listed]:
    """The first items of many lines at once; SQLite has no LATERAL, and asks line by line."""
    listed = Listed("postgresql", "lines", of_queue=sa.Text(), of_user=sa.Text(), most=sa.Integer())
    wanted = listed.rows.c
    line = _first("postgresql", wanted.of_queue, wanted.of_user).limit(wanted.most).lateral("line")
    return sa.select(line).select_from(listed.rows.join(line, sa.true())), listed


def _first(dialect: Dialect, queue_id: sa.ColumnElement[str], user_id: sa.ColumnElement[str]) -> Select[Any]:
    items = queue_items.c
    query = (
        sa.select(items.item_id, items.queue_id, items.user_id, items.priority)
        .where(items.queue_id == queue_id, items.user_id == user_id, is_available(sa.bindparam("at", type_=sa.Text())))
        .order_by(items.priority.desc(), items.item_id)
    )
    return _unlocked(dialect, query)


@cache
def _put_first(dialect: Dialect) -> Select[Any]:
    items = queue_items.c
    query = (
        sa.select(items.item_id, items.queue_id, items.user_id, items.priority, items.put_first)
        .where(is_available(sa.bindparam("at", type_=sa.Text())), items.put_first.is_not(None))
        .order_by(items.put_first)
    )
    return _unlocked(dialect, query)


@cache
def _nearby(dialect: Dialect) -> Select[Any]:
    """The items that may be taken instead of the next one; the sessions of those that are built are not read."""
    items = queue_items.c
    query = sa.select(items.item_id, items.queue_id, items.batch_key, items.field_values, items.session).where(
        items.queue_id == sa.bindparam("of_queue", type_=sa.Text()),
        items.user_id == sa.bindparam("of_user", type_=sa.Text()),
        items.priority == sa.bindparam("of_priority", type_=sa.Integer()),
        items.item_id <= sa.bindparam("last", type_=sa.BigInteger()),
        is_available(sa.bindparam("at", type_=sa.Text())),
    )
    return _unlocked(dialect, query)


def _unlocked(dialect: Dialect, query: Select[Any]) -> Select[Any]:
    """Pass by what somebody else is changing at this moment, such as a cancellation of thousands, and never wait for it."""
    return query.with_for_update(skip_locked=True) if dialect == "postgresql" else query


@cache
def _graphs(dialect: Dialect) -> Select[Any]:
    of_batch = batches.c
    query = sa.select(of_batch.batch_key, of_batch.graph, of_batch.fields)
    return query.where(among_bound(dialect, of_batch.batch_key, "batch_keys"))
