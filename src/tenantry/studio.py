"""A studio: one database, opened for both modes, and the only place where units of work begin and end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, TypeVar

from tenantry.accounts import AccountRules, Accounts
from tenantry.alembic import check_schema, upgrade
from tenantry.database import (
    Clock,
    Database,
    DatabaseURL,
    Dialect,
    Ids,
    PostgreSQLDatabase,
    SQLiteDatabase,
    Synchronous,
    new_id,
    parse_url,
    run,
    utc_now,
)
from tenantry.repositories import UnitOfWork
from tenantry.tenancy import Principal

__all__ = ["DirectStudio", "Studio", "connect", "open"]

T = TypeVar("T")


class Studio:
    """Units of work on a database. Close it with `aclose`, or `close` where no event loop ever used it."""

    def __init__(
        self, database: Database, *, clock: Clock = utc_now, ids: Ids = new_id, account_rules: AccountRules | None = None
    ) -> None:
        self.database = database
        self._account_rules = account_rules
        self._clock = clock
        self._ids = ids
        self.direct = DirectStudio(database, clock, ids)

    @property
    def dialect(self) -> Dialect:
        return self.database.dialect

    @cached_property
    def accounts(self) -> Accounts:
        """The users' accounts: registering, signing in, and who a token belongs to."""
        return Accounts(self, rules=self._account_rules, clock=self._clock)

    @asynccontextmanager
    async def begin(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        """One transaction for one principal: commits at the end of the block, rolls back on any exception."""
        async with self.database.writing(principal.identity) as connection:
            yield UnitOfWork(connection, principal, self._clock, self._ids)

    @asynccontextmanager
    async def read(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        """Reads for one principal that all see the same moment; a write in it is refused by the database."""
        async with self.database.reading(principal.identity) as connection:
            yield UnitOfWork(connection, principal, self._clock, self._ids)

    async def aclose(self) -> None:
        await self.database.aclose()

    def close(self) -> None:
        self.database.close()


class DirectStudio:
    """The same for synchronous callers: threads, and an event loop's own thread for short reads on SQLite."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    @contextmanager
    def begin(self, principal: Principal) -> Iterator[UnitOfWork]:
        """Like `Studio.begin`; drive the repositories' coroutines with `tenantry.run`."""
        with self._database.direct_writing(principal.identity) as connection:
            yield UnitOfWork(connection, principal, self._clock, self._ids)

    @contextmanager
    def read(self, principal: Principal) -> Iterator[UnitOfWork]:
        """Like `Studio.read`."""
        with self._database.direct_reading(principal.identity) as connection:
            yield UnitOfWork(connection, principal, self._clock, self._ids)

    def writing(self, principal: Principal, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T:
        """Run one operation in a unit of work of its own."""
        with self.begin(principal) as work:
            return run(operation(work))

    def reading(self, principal: Principal, operation: Callable[[UnitOfWork], Coroutine[Any, Any, T]]) -> T:
        """Run one read in a snapshot of its own."""
        with self.read(principal) as work:
            return run(operation(work))


def connect(
    url: str | DatabaseURL,
    *,
    migrate: bool | None = None,
    synchronous: Synchronous = "FULL",
    busy_timeout: float = 30.0,
    account_rules: AccountRules | None = None,
) -> Studio:
    """Open a studio without an event loop.

    `migrate` brings the schema up to date first; left open, SQLite files are migrated and PostgreSQL databases checked.
    `account_rules` say what passwords cost and how long tokens live.
    Raises `InvalidDatabaseURL`, `DatabaseUnavailable` and its kinds, among them `SchemaOutdated` and `SchemaTooNew`.
    """
    parsed = parse_url(url) if isinstance(url, str) else url
    if migrate if migrate is not None else parsed.dialect == "sqlite":
        upgrade(parsed)
    else:
        check_schema(parsed)
    if parsed.dialect == "sqlite":
        database: Database = SQLiteDatabase(parsed, synchronous=synchronous, busy_timeout=busy_timeout)
    else:
        database = PostgreSQLDatabase(parsed)
    return Studio(database, account_rules=account_rules)


@asynccontextmanager
async def open(  # noqa: A001
    url: str | DatabaseURL,
    *,
    migrate: bool | None = None,
    synchronous: Synchronous = "FULL",
    busy_timeout: float = 30.0,
    account_rules: AccountRules | None = None,
) -> AsyncIterator[Studio]:
    """Open a studio for an event loop; arguments and errors as for `connect`."""
    studio = await asyncio.to_thread(
        connect, url, migrate=migrate, synchronous=synchronous, busy_timeout=busy_timeout, account_rules=account_rules
    )
    try:
        yield studio
    finally:
        await studio.aclose()
