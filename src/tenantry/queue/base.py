"""What every repository of the queue stands on."""

from datetime import UTC, timedelta
from functools import cache

import sqlalchemy as sa

from tenantry.database import Dialect, timestamp, utc_now
from tenantry.database.tables.queue import ALL_QUEUES
from tenantry.errors import InvalidInput
from tenantry.queue.rules import QueueRules
from tenantry.repositories.base import Ground
from tenantry.repositories.checks import check_name
from tenantry.repositories.privileged import PrivilegedWrites

__all__ = ["ALL_QUEUES", "DEFAULT_QUEUE", "QueueRepository", "check_queue_id", "shared_moment"]

DEFAULT_QUEUE = "default"


class QueueRepository(PrivilegedWrites):
    """A repository that knows the queue's rules."""

    __slots__ = ("_rules",)

    def __init__(self, ground: Ground, rules: QueueRules) -> None:
        super().__init__(ground)
        self._rules = rules

    @property
    def _dialect(self) -> Dialect:
        return self._connection.dialect

    @property
    def _by_database(self) -> bool:
        """Whether leases go by PostgreSQL's clock, which all hosts share, and not by one that was handed in, as in tests."""
        return self._dialect == "postgresql" and self._ground.clock is utc_now

    def _moment(self, seconds: float = 0.0, name: str = "moment") -> dict[str, object]:
        """The parameter of `shared_moment`: the moment in `seconds`."""
        if self._by_database:
            return {name: timedelta(seconds=seconds)}
        return {name: timestamp(self._ground.clock().astimezone(UTC) + timedelta(seconds=seconds))}


@cache
def shared_moment(by_database: bool, name: str = "moment") -> sa.ColumnElement[str]:
    """A moment by the clock that all hosts share, as a stored time."""
    if not by_database:
        return sa.bindparam(name, type_=sa.Text())
    moment = sa.func.clock_timestamp() + sa.bindparam(name, type_=sa.Interval())
    return sa.func.to_char(sa.func.timezone("UTC", moment), "YYYY-MM-DD HH24:MI:SS.MS", type_=sa.Text())


def check_queue_id(queue_id: str) -> str:
    """A queue's name. Raises `InvalidInput`."""
    if check_name(queue_id, "queue_id") == ALL_QUEUES:
        raise InvalidInput("This name stands for all queues.", field="queue_id", remedy="Name one queue.")
    return queue_id
