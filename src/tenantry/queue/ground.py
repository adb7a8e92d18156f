"""What workers need of a studio."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tenantry.database import Dialect
from tenantry.queue.rules import QueueRules
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.repositories.changes import Change
from tenantry.tenancy import Principal

__all__ = ["QueueGround"]


class QueueGround(Protocol):
    """A studio, as far as workers know it."""

    queue_rules: QueueRules

    @property
    def dialect(self) -> Dialect: ...

    @property
    def listening_url(self) -> str | None:
        """The address of a PostgreSQL server to listen on for notifications; None: there are none."""
        ...

    def listen(self, listener: Callable[[tuple[Change, ...]], None]) -> Callable[[], None]: ...

    def begin(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def read(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...
