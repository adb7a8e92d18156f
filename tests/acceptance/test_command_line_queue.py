"""`tenantry doctor` and the queue's counts: what was changed by hand is found, and mended when asked."""

import sqlalchemy as sa

from tenantry import Principal, connect
from tenantry.alembic.migrate import downgrade, revisions
from tenantry.database import DatabaseURL
from tenantry.database.tables import queue_counts, queue_items, users
from tenantry.queue import Batch, UnitOfWork
from tenantry.tenancy import InternalReason
from tests.acceptance.commands import Command, address, assert_refused

INTERNAL = Principal.internal(InternalReason.OPERATE)


async def _fill(work: UnitOfWork) -> None:
    values = {"user_id": "ana", "email": "ana@example.com", "is_admin": True, "created_at": "", "updated_at": ""}
    await work.ground.connection.execute(sa.insert(users).values(values))


async def _break(work: UnitOfWork) -> None:
    await work.ground.connection.execute(sa.update(queue_counts).values(items=7))
    await work.ground.connection.execute(sa.update(queue_items).values(started_at="2026-11-23 12:00:00.000"))


def test_wrong_counts_are_found_and_mended(run: Command, database_url: DatabaseURL) -> None:
    """The check says what to run; after that all is well."""
    studio = connect(database_url)
    studio.direct.writing(INTERNAL, _fill)
    batch = Batch(graph={"nodes": {}}, runs=3, destination="canvas")
    studio.direct.writing(Principal("ana"), lambda work: work.queue.enqueue(batch))
    database = ("--database", address(database_url))
    assert run("doctor", *database).status == 0
    studio.direct.writing(INTERNAL, _break)
    said = run("doctor", *database)
    assert said.status == 1
    assert "2 of its counts are not what its items say. Run: tenantry doctor --repair" in " ".join(said.out.split())
    assert run("doctor", *database).status == 1
    assert run("doctor", "--repair", *database).status == 0
    assert run("doctor", *database).status == 0
    status = studio.direct.reading(Principal("ana"), lambda work: work.queue.status())
    assert status.own.pending == 3
    studio.close()


def test_a_repair_brings_no_other_schema(run: Command, database_url: DatabaseURL) -> None:
    """Whoever has an older database learns what to run first, and nothing is changed."""
    downgrade(database_url, "0002")
    database = ("--database", address(database_url))
    assert_refused(run("doctor", "--repair", *database), "tenantry db upgrade")
    assert revisions(database_url).current == "0002"
