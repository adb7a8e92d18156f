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
    Connection,
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
from tenantry.errors import InvalidDatabaseURL
from tenantry.events.recording import record
from tenantry.queue import QueueRules, UnitOfWork
from tenantry.queue.wakeup import announce
from tenantry.repositories.audit import store_notes
from tenantry.repositories.changes import Change
from tenantry.tenancy import Principal

__all__ = ["DirectStudio", "Listener", "Studio", "connect", "open"]

T = TypeVar("T")

Listener = Callable[[tuple[Change, ...]], None]
"""Is told what a unit of work has changed."""


class Studio:
    """Units of work on a database. Close it with `aclose`, or `close` where no event loop ever used it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock = utc_now,
        ids: Ids = new_id,
        account_rules: AccountRules | None = None,
        queue_rules: QueueRules | None = None,
        listening_url: str | None = None,
    ) -> None:
        self.database = database
        self.queue_rules = queue_rules or QueueRules()
        self._account_rules = account_rules
        self._clock = clock
        self._ids = ids
        self._listeners: list[Listener] = []
        self._listening = database.url if listening_url is None else _parse_listening(listening_url)
        self.direct = DirectStudio(self)

    @property
    def dialect(self) -> Dialect:
        return self.database.dialect

    @property
    def listening_url(self) -> str | None:
        """The address of the PostgreSQL server to listen on for notifications: the database's own, unless another was given."""
        if self.dialect == "sqlite":
            return None
        return self._listening.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @cached_property
    def accounts(self) -> Accounts:
        """The users' accounts: registering, signing in, and who a token belongs to."""
        return Accounts(self, rules=self._account_rules, clock=self._clock)

    def listen(self, listener: "Listener") -> Callable[[], None]:
        """Call `listener` with what each unit of work of this process has changed, once it is committed; answers how to stop.

        It is called in the thread of the unit of work and must neither block nor raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, work: UnitOfWork) -> None:
        """Tell the listeners what a unit of work has changed, after its commit."""
        if work.ground.changes:
            changes = tuple(work.ground.changes)
            for listener in tuple(self._listeners):
                listener(changes)

    def unit_of_work(self, connection: Connection, principal: Principal) -> UnitOfWork:
        """The repositories for a principal over a connection, in whose transaction they are."""
        return UnitOfWork(connection, principal, self._clock, self._ids, self.queue_rules)

    @asynccontextmanager
    async def begin(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        """One transaction for one principal: commits at the end of the block, rolls back on any exception."""
        async with self.database.writing(principal.identity) as connection:
            work = self.unit_of_work(connection, principal)
            yield work
            await store_notes(work.ground)
            await record(work.ground)
            await announce(connection, work.ground.changes)
        self.tell(work)

    @asynccontextmanager
    async def read(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        """Reads for one principal that all see the same moment; a write in it is refused by the database."""
        async with self.database.reading(principal.identity) as connection:
            yield self.unit_of_work(connection, principal)

    async def aclose(self) -> None:
        await self.database.aclose()

    def close(self) -> None:
        self.database.close()


class DirectStudio:
    """The same for synchronous callers: threads, and an event loop's own thread for short reads on SQLite."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @contextmanager
    def begin(self, principal: Principal) -> Iterator[UnitOfWork]:
        """Like `Studio.begin`; drive the repositories' coroutines with `tenantry.run`."""
        with self._studio.database.direct_writing(principal.identity) as connection:
            work = self._studio.unit_of_work(connection, principal)
            yield work
            run(store_notes(work.ground))
            run(record(work.ground))
            run(announce(connection, work.ground.changes))
        self._studio.tell(work)

    @contextmanager
    def read(self, principal: Principal) -> Iterator[UnitOfWork]:
        """Like `Studio.read`."""
        with self._studio.database.direct_reading(principal.identity) as connection:
            yield self._studio.unit_of_work(connection, principal)

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
    queue_rules: QueueRules | None = None,
    listening_url: str | None = None,
) -> Studio:
    """Open a studio without an event loop.

    `migrate` brings the schema up to date first; left open, SQLite files are migrated and PostgreSQL databases checked.
    `account_rules` say what passwords cost and how long tokens live, `queue_rules` what the queue holds and for how long.
    `listening_url` is where to listen for notifications when `url` is a pooler that does not let LISTEN through.
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
    return Studio(database, account_rules=account_rules, queue_rules=queue_rules, listening_url=listening_url)


def _parse_listening(text: str) -> DatabaseURL:
    try:
        url = parse_url(text)
    except InvalidDatabaseURL as error:
        raise InvalidDatabaseURL(error.message, field="listen_database", remedy=error.remedy) from None
    if url.dialect != "postgresql":
        raise InvalidDatabaseURL(
            "Only PostgreSQL has notifications.", field="listen_database", remedy="Leave TENANTRY_LISTEN_DATABASE out."
        )
    return url


@asynccontextmanager
async def open(  # noqa: A001
    url: str | DatabaseURL,
    *,
    migrate: bool | None = None,
    synchronous: Synchronous = "FULL",
    busy_timeout: float = 30.0,
    account_rules: AccountRules | None = None,
    queue_rules: QueueRules | None = None,
    listening_url: str | None = None,
) -> AsyncIterator[Studio]:
    """Open a studio for an event loop; arguments and errors as for `connect`."""
    studio = await asyncio.to_thread(
        connect,
        url,
        migrate=migrate,
        synchronous=synchronous,
        busy_timeout=busy_timeout,
        account_rules=account_rules,
        queue_rules=queue_rules,
        listening_url=listening_url,
    )
    try:
        yield studio
    finally:
        await studio.aclose()
