"""What accounts need of a studio."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from tenantry.accounts.passwords import DEFAULT_COST
from tenantry.database import Dialect
from tenantry.repositories import UnitOfWork
from tenantry.settings import Settings
from tenantry.tenancy import Principal

__all__ = ["AccountRules", "AccountsGround", "DirectGround"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AccountRules:
    """How accounts behave in one process."""

    bcrypt_cost: int = DEFAULT_COST
    strict_passwords: bool = True
    token_lifetime: timedelta = timedelta(days=1)
    remembered_token_lifetime: timedelta = timedelta(days=7)
    login_attempts: int = 10
    login_max_wait: timedelta = timedelta(minutes=15)

    @classmethod
    def of(cls, settings: Settings) -> "AccountRules":
        """The rules that the settings give."""
        return cls(
            settings.bcrypt_cost,
            settings.strict_passwords,
            timedelta(days=settings.token_days),
            timedelta(days=settings.remembered_token_days),
            settings.login_attempts,
            timedelta(seconds=settings.login_max_wait),
        )


class DirectGround(Protocol):
    """Units of work for the calling thread."""

    def reading(self, principal: Principal, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T: ...

    def writing(self, principal: Principal, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T: ...


class AccountsGround(Protocol):
    """A studio, as far as accounts know it."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def direct(self) -> DirectGround: ...

    def begin(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def read(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]: ...
