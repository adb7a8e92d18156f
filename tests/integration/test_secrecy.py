"""What errors and functions of the database give away, or can be made to believe."""

import traceback

import pytest
import sqlalchemy as sa

from tenantry import Principal
from tenantry.database.tables import app_settings
from tenantry.errors import IntegrityViolation
from tenantry.repositories import UnitOfWork
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode

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
