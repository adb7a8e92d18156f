"""Weights and limits of users: a default for everybody, and exceptions. What is set holds from the next claim or batch on."""

import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.database.tables import queue_defaults, queue_limits
from tenantry.errors import InvalidInput, NotFound
from tenantry.queue.steering import Steering

__all__ = ["Limits", "QueueLimits", "UserLimits"]

_MOST = 2_147_483_647
_WEIGHTS = (0.001, 1_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a user gets; None is no limit, or, in an exception, whatever holds for everybody.

    `weight` is how many turns they take while somebody of weight 1 takes one. `max_running` and `max_pending` are items in
    all queues together; `per_minute`, `per_hour` and `per_day` the items that they may queue in that time.
    """

    weight: float | None = None
    max_running: int | None = None
    max_pending: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class UserLimits:
    """What is set for one user, what holds for them, and whether they are paused."""

    user_id: str
    own: Limits
    effective: Limits
    paused: bool


class QueueLimits(Steering):
    """The limits of users; everybody reads their own, administrators set them."""

    __slots__ = ()

    async def defaults(self) -> Limits:
        """What holds for everybody who has no exception."""
        row = await self._connection.fetch_one(_defaults())
        return Limits() if row is None else _limits(row)

    async def set_defaults(self, limits: Limits) -> None:
        """Replace what holds for everybody. Raises `InvalidInput`, and `NotAllowed` for tenants."""
        self._only_privileged("set limits")
        _check(limits)
        row = {"row_number": 1, **asdict(limits), "updated_at": self._now()}
        add = self._insert_into(queue_defaults).values(row)
        changed = {name: value for name, value in row.items() if name != "row_number"}
        await self._connection.execute(add.on_conflict_do_update(index_elements=["row_number"], set_=changed))

    async def of_user(self, user_id: str) -> UserLimits:
        """A user's limits. Raises `NotFound` for somebody else's, and for an unknown user."""
        if not self._everything and user_id != self._me:
            raise NotFound("user")
        if self._everything:
            await self._check_user(user_id)
        row = await self._connection.fetch_one(_of_user(), {"of_user": user_id})
        own = Limits() if row is None else _limits(row)
        given = {field.name: getattr(own, field.name) for field in fields(own)}
        effective = replace(await self.defaults(), **{name: value for name, value in given.items() if value is not None})
        return UserLimits(user_id, own, effective, row is not None and bool(row.paused))

    async def set_for_user(self, user_id: str, limits: Limits) -> None:
        """Replace a user's exceptions. Raises `InvalidInput`, `NotFound`, and `NotAllowed` for tenants."""
        self._only_privileged("set limits")
        _check(limits)
        await self._change_limits(user_id, asdict(limits))


def _check(limits: Limits) -> None:
    weight = limits.weight
    if weight is not None and not (math.isfinite(weight) and _WEIGHTS[0] <= weight <= _WEIGHTS[1]):
        raise InvalidInput(f"A weight is from {_WEIGHTS[0]:g} to {_WEIGHTS[1]:g}.", field="weight")
    for name, value in asdict(limits).items():
        if name != "weight" and value is not None and not 0 <= value <= _MOST:
            raise InvalidInput(f"A limit is from 0 to {_MOST}.", field=name)


def _limits(row: Row[Any]) -> Limits:
    return Limits(**{field.name: getattr(row, field.name) for field in fields(Limits)})


@cache
def _defaults() -> Select[Any]:
    return sa.select(queue_defaults).where(queue_defaults.c.row_number == 1)


@cache
def _of_user() -> Select[Any]:
    return sa.select(queue_limits).where(queue_limits.c.user_id == sa.bindparam("of_user", type_=sa.Text()))
