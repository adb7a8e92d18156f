"""What the delivery of events needs of a studio."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tenantry.accounts import Accounts
from tenantry.database import Dialect
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.repositories.changes import Change
from tenantry.tenancy import Principal

__all__ = ["EventsGround"]


class EventsGround(Protocol):
    """A studio, as far as events know it."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def accounts(self) -> Accounts: ...

    def listen(self, listener: Callable[[tuple[Change, ...]], None]) -> Callable[[], None]: ...

    def begin(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def read(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...
