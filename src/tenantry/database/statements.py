"""The two connections over a synchronous driver: direct, and from an event loop through a thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError, StatementError

from tenantry.database.connection import Parameters, Query
from tenantry.database.failures import translate
from tenantry.database.identity import Identity
from tenantry.database.url import Dialect
from tenantry.errors import DatabaseUnavailable, TransactionEnded

__all__ = ["DirectConnection", "Ended", "HoppingConnection", "hop", "to_its_end"]

P = ParamSpec("P")
T = TypeVar("T")

_DRIVER_ERRORS = (DBAPIError, StatementError, sqlite3.Error, OSError, UnicodeEncodeError, OverflowError)


class Ended:
    """Stands in the place of a connection that went back: nothing may reach the next transaction on it."""

    def execute(self, *_: object) -> NoReturn:
        raise TransactionEnded


def _nobody(_: Identity) -> None:
    raise TransactionEnded


class DirectConnection:
    """A connection whose calls block the calling thread and never suspend, so that `run` can drive them.

    `failed` tells whether the database refused a statement; on PostgreSQL nothing of the transaction can be kept then.
    """

    __slots__ = ("_act_as", "_connection", "dialect", "failed")

    def __init__(self, connection: sa.Connection, dialect: Dialect, act_as: Callable[[Identity], None]) -> None:
        self._connection: sa.Connection | Ended = connection
        self._act_as = act_as
        self.dialect: Dialect = dialect
        self.failed = False

    def end(self) -> None:
        """Let go of the connection; every later call raises `TransactionEnded`."""
        self._connection = Ended()
        self._act_as = _nobody

    def fetch_all_now(self, query: Query, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        try:
            return self._connection.execute(query, parameters).fetchall()
        except _DRIVER_ERRORS as error:
            self.failed = True
            raise translate(error) from error

    def fetch_one_now(self, query: Query, parameters: Parameters | None = None) -> Row[Any] | None:
        try:
            return self._connection.execute(query, parameters).first()
        except _DRIVER_ERRORS as error:
            self.failed = True
            raise translate(error) from error

    def execute_now(self, statement: Query, parameters: Parameters | Sequence[Parameters] | None = None) -> int:
        try:
            return self._connection.execute(statement, parameters).rowcount
        except _DRIVER_ERRORS as error:
            self.failed = True
            raise translate(error) from error

    def act_as_now(self, identity: Identity) -> None:
        try:
            self._act_as(identity)
        except _DRIVER_ERRORS as error:
            self.failed = True
            raise translate(error) from error

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        return self.fetch_all_now(query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Row[Any] | None:
        return self.fetch_one_now(query, parameters)

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        row = self.fetch_one_now(query, parameters)
        return None if row is None else row[0]

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        return self.execute_now(statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        if parameters:
            self.execute_now(statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        self.act_as_now(identity)


class HoppingConnection:
    """The same connection for a task: each statement is one hop to a thread and back."""

    __slots__ = ("_direct", "_executor", "dialect")

    def __init__(self, direct: DirectConnection, executor: Executor) -> None:
        self._direct = direct
        self._executor = executor
        self.dialect: Dialect = direct.dialect

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        return await hop(self._executor, self._direct.fetch_all_now, query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Row[Any] | None:
        return await hop(self._executor, self._direct.fetch_one_now, query, parameters)

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        row = await hop(self._executor, self._direct.fetch_one_now, query, parameters)
        return None if row is None else row[0]

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        return await hop(self._executor, self._direct.execute_now, statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        if parameters:
            await hop(self._executor, self._direct.execute_now, statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        self._direct.act_as_now(identity)


async def hop(executor: Executor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread. Raises `DatabaseUnavailable` once the database was closed."""
    try:
        future = asyncio.get_running_loop().run_in_executor(executor, partial(function, *args, **kwargs))
    except RuntimeError:
        raise DatabaseUnavailable("The database was closed.") from None
    return await to_its_end(future)


async def to_its_end(future: "asyncio.Future[T]") -> T:
    """Await a call on a connection.

    A cancelled caller still waits for the call's end, because a connection must never be used by two at once.
    """
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()
        raise
