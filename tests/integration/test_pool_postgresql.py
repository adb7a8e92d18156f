"""PostgreSQL: whom a connection acts for ends with the transaction, and a login by itself sees nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database import DatabaseURL, PostgreSQLDatabase, parse_url
from tenantry.database.tables import metadata
from tenantry.errors import DatabaseUnavailable, TransactionEnded
from tenantry.repositories import UnitOfWork
from tests.conftest import LOGIN
from tests.integration.conftest import Mode, Ticking

WHO = sa.text("SELECT current_user AS role, nullif(current_setting('tenantry.user_id', true), '') AS user_id")


@pytest.fixture
async def studio(postgres_url: DatabaseURL, clock: Ticking) -> AsyncIterator[Studio]:
    """A studio with one connection for each mode, so that everybody gets the one that the last one had."""
    studio = Studio(PostgreSQLDatabase(postgres_url, pool_size=1, direct_pool_size=1), clock=clock)
    studio.database._engine.sync_engine.pool._max_overflow = 0  # type: ignore[union-attr]
    yield studio
    await studio.aclose()


async def who(work: UnitOfWork) -> tuple[str, str | None]:
    row = await work.ground.connection.fetch_one(WHO)
    assert row is not None
    return row.role, row.user_id


async def nobody(mode: Mode) -> tuple[str, str | None]:
    """Whom the connection acts for outside of any unit of work."""
    database = mode.studio.database
    if mode.name == "direct":
        with database.direct_writing(None) as connection:
            row = await connection.fetch_one(WHO)
    else:
        async with database.writing(None) as connection:
            row = await connection.fetch_one(WHO)
    assert row is not None
    return row.role, row.user_id


async def test_role_and_user_end_with_the_transaction(mode: Mode, people: object) -> None:
    """After a commit, an error, a read, and a privileged transaction alike."""
    ana, root = Principal("ana"), Principal("root", is_admin=True)

    async def fail(work: UnitOfWork) -> None:
        raise ZeroDivisionError

    async def break_(work: UnitOfWork) -> None:
        await work.ground.connection.execute(sa.text("SELECT 1 / 0"))

    assert await mode.write(ana, who) == ("tenantry_tenant", "ana")
    assert await nobody(mode) == (LOGIN, None)
    assert await mode.read(root, who) == ("tenantry_service", "root")
    assert await nobody(mode) == (LOGIN, None)
    for failing, error in ((fail, ZeroDivisionError), (break_, DatabaseUnavailable)):
        with pytest.raises(error):
            await mode.write(root, failing)
        assert await nobody(mode) == (LOGIN, None)
    assert await mode.read(ana, who) == ("tenantry_tenant", "ana")


async def test_a_read_leaves_no_snapshot_and_no_read_only_mode_behind(mode: Mode, people: object) -> None:
    """The next user of the connection may write and sees the present."""
    ana = Principal("ana")
    for number in range(3):
        assert len(await mode.read(ana, lambda work: work.boards.all())) == number
        await mode.write(ana, lambda work: work.boards.create("Foxes"))


async def test_a_cancelled_task_leaves_nobody_behind(studio: Studio, people: object) -> None:
    """Whatever the moment, the next on the only connection begins as itself and finds nothing half-written."""
    ana, bo = Principal("ana"), Principal("bo")

    async def write() -> None:
        async with studio.begin(ana) as work:
            await work.boards.create("one")
            await work.boards.create("two")

    for rounds in range(0, 60, 3):
        task = asyncio.create_task(write())
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with studio.read(bo) as work:
            assert await who(work) == ("tenantry_tenant", "bo")
            assert await work.boards.all() == []
    async with studio.read(ana) as work:
        assert len(await work.boards.all()) % 2 == 0


async def test_statements_after_a_failed_one_are_refused_and_nothing_is_stored(mode: Mode, people: object) -> None:
    """The transaction is lost, and both the next statement and the end of the block say so."""
    ana = Principal("ana")

    async def go_on(work: UnitOfWork) -> None:
        await work.boards.create("lost")
        with suppress(DatabaseUnavailable):
            await work.ground.connection.execute(sa.text("SELECT 1 / 0"))
        with pytest.raises(TransactionEnded):
            await work.boards.create("also lost")

    with pytest.raises(TransactionEnded):
        await mode.write(ana, go_on)
    assert await mode.read(ana, lambda work: work.boards.all()) == []


async def test_the_login_by_itself_sees_and_changes_no_row(mode: Mode, people: object, postgres_url: DatabaseURL) -> None:
    """Whoever forgets the unit of work gets nothing instead of everything."""
    await mode.write(Principal("ana"), lambda work: work.boards.create("Foxes"))
    dsn = postgres_url.driven_by("postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in metadata.sorted_tables:
            assert connection.execute(f'SELECT count(*) FROM "{table.name}"'.encode()).fetchone() == (0,)
            assert connection.execute(f'DELETE FROM "{table.name}"'.encode()).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO app_settings VALUES ('k', 'v', '', '')")
    for user in ("", "nobody"):
        assert await mode.read(Principal(user), lambda work: work.boards.all()) == []
    assert len(await mode.read(Principal("ana"), lambda work: work.boards.all())) == 1


async def test_a_server_that_is_not_there_or_refuses_is_unavailable(postgres_url: DatabaseURL, postgres: object) -> None:
    """A wrong database, a wrong login and a closed port: typed, in both modes, and without the password."""
    good = postgres_url.url
    wrong = [
        good.set(database="there_is_none"),
        good.set(username="there_is_none", password="secret-word"),
        good.set(host="127.0.0.1", port=1, query={}),
    ]
    for url in wrong:
        database = PostgreSQLDatabase(parse_url(url.render_as_string(hide_password=False)))
        with pytest.raises(DatabaseUnavailable) as asynchronous:
            async with database.reading(None):
                pass
        with pytest.raises(DatabaseUnavailable) as direct, database.direct_reading(None):
            pass
        for caught in (asynchronous, direct):
            assert caught.value.remedy
            assert "secret-word" not in str(caught.value)
        await database.aclose()
