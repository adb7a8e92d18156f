"""What errors and functions of the database give away, or can be made to believe."""

import asyncio
import traceback

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database.tables import app_settings
from tenantry.errors import IntegrityViolation
from tenantry.repositories import UnitOfWork
from tenantry.tenancy import InternalReason
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
