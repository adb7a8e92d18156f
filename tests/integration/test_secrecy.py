"""What errors and functions of the database give away, or can be made to believe."""

import asyncio
import traceback

import psycopg
import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.alembic import upgrade
from tenantry.database.tables import app_settings
from tenantry.errors import CrossTenantRefused, IntegrityViolation
from tenantry.repositories import UnitOfWork
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.conftest import LOGIN, Postgres
from tests.integration.conftest import Mode, People

OPERATOR = Principal.internal(InternalReason.OPERATE)


async def test_an_error_does_not_repeat_what_was_stored(mode: Mode) -> None:
    """Errors are logged with their causes, and parameters are prompts, hashes of passwords, and the tokens' secret."""
    row = {"key": "jwt_secret", "value": "0123-secret", "created_at": "", "updated_at": ""}

    async def twice(work: UnitOfWork) -> None:
        await work.ground.connection.execute(sa.insert(app_settings), row)
        await work.ground.connection.execute(sa.insert(app_settings), row)

    with pytest.raises(IntegrityViolation) as caught:
        await mode.write(OPERATOR, twice)
    assert "0123-secret" not in "".join(traceback.format_exception(caught.value))


async def test_cancelling_inside_an_elevated_block_cancels(studio: Studio, people: People) -> None:
    """What the driver says to the attempt to be oneself again does not take the place of the cancellation."""
    entered = asyncio.Event()

    async def elevated() -> None:
        async with studio.begin(people.ana) as work, work.ground.elevated(InternalReason.READ_QUEUE):
            entered.set()
            if studio.dialect == "postgresql":
                await work.ground.connection.fetch_value(sa.text("SELECT pg_sleep(30)"))
            await asyncio.Event().wait()

    task = asyncio.create_task(elevated())
    await entered.wait()
    # One more step, so that the statement is on its way.
    await asyncio.wait([task], timeout=0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with studio.begin(people.ana) as work:
        assert not work.principal.is_internal
        await work.boards.create("Foxes")


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_the_triggers_cannot_be_shown_other_tables(studio: Studio, people: People) -> None:
    """What a transaction makes for itself does not stand in for the boards that the triggers look at."""
    async with studio.begin(people.ana) as work:
        board = await work.boards.create("Foxes")
    async with studio.begin(people.bo) as work:
        await work.images.save("bo.png", origin="internal", category="general", width=8, height=8)

    async def link() -> None:
        async with studio.begin(people.bo) as work:
            columns = f"'{board.board_id}' AS board_id, 'bo' AS user_id, 'public' AS visibility"
            await work.ground.connection.execute(sa.text(f"CREATE TEMP TABLE boards AS SELECT {columns}"))
            await work.ground.connection.execute(sa.text(f"UPDATE media SET board_id = '{board.board_id}'"))

    with pytest.raises(CrossTenantRefused):
        await link()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_tenant_cannot_move_the_counters(studio: Studio) -> None:
    """Rows are numbered without a right to the sequences, and a number that is drawn for nothing tells how busy others are."""
    query = sa.text(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND has_sequence_privilege("
        "'tenantry_tenant', format('%I.%I', schemaname, sequencename)::regclass, 'USAGE, SELECT, UPDATE')"
    )
    async with studio.read(OPERATOR) as work:
        assert await work.ground.connection.fetch_all(query) == []


@pytest.mark.postgres
def test_a_schema_that_comes_first_gets_no_tables(postgres: Postgres) -> None:
    """Such as one that is named after the login, which PostgreSQL prefers by itself and the roles could not enter."""
    postgres.create_database("named_after_login")
    with psycopg.connect(postgres.admin.replace("/postgres?", "/named_after_login?"), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {LOGIN} AUTHORIZATION {LOGIN}".encode())
    try:
        upgrade(postgres.url("named_after_login"))
        studio = connect(postgres.url("named_after_login"))
        assert studio.direct.reading(OPERATOR, lambda work: work.boards.all()) == []
        studio.close()
    finally:
        postgres.drop_database("named_after_login")
