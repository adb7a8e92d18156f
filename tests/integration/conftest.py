"""A studio on each database, a few users in it, and one way to run an operation in either mode."""

import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL, timestamp
from tenantry.database.tables import users
from tenantry.queue import UnitOfWork
from tenantry.studio import connect
from tenantry.tenancy import InternalReason

T = TypeVar("T")

Operation = Callable[[UnitOfWork], Coroutine[Any, Any, T]]


class Ticking:
    """A clock that moves one millisecond at each look, so that order by time is decided by the test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_by(self, **much: float) -> None:
        """Let time go by."""
        self.now += timedelta(**much)


@dataclass(frozen=True)
class People:
    """Three users and an administrator; each is in the database."""

    ana: Principal
    bo: Principal
    cy: Principal
    root: Principal


class Mode:
    """Runs operations, each in a unit of work of its own, in the mode that the test was asked to run in."""

    def __init__(self, studio: Studio, name: str) -> None:
        self.studio = studio
        self.name = name

    async def write(self, principal: Principal, operation: Operation[T]) -> T:
        if self.name == "direct":
            # In the real world this is another thread's business; here nothing else runs.
            with self.studio.direct.begin(principal) as work:
                return run(operation(work))
        async with self.studio.begin(principal) as work:
            return await operation(work)

    async def read(self, principal: Principal, operation: Operation[T]) -> T:
        if self.name == "direct":
            with self.studio.direct.read(principal) as work:
                return run(operation(work))
        async with self.studio.read(principal) as work:
            return await operation(work)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def ids() -> Callable[[], str]:
    """Ids that can be told apart and read: id-0001, id-0002."""
    count = itertools.count(1)
    return lambda: f"id-{next(count):04d}"


@pytest.fixture
async def studio(database_url: DatabaseURL, clock: Ticking, ids: Callable[[], str]) -> AsyncIterator[Studio]:
    """A studio without users, on each database."""
    opened = connect(database_url)
    studio = Studio(opened.database, clock=clock, ids=ids)
    yield studio
    await studio.aclose()


@pytest.fixture
async def people(studio: Studio) -> People:
    """Ana, Bo and Cy, and Root who is an administrator."""
    now = timestamp(datetime(2026, 11, 23, tzinfo=UTC))
    async with studio.begin(Principal.internal(InternalReason.OPERATE)) as work:
        for name in ("ana", "bo", "cy", "root"):
            await work.ground.connection.execute(
                sa.insert(users).values(
                    user_id=name,
                    email=f"{name}@example.com",
                    display_name=name.title(),
                    is_admin=name == "root",
                    created_at=now,
                    updated_at=now,
                )
            )
    return People(Principal("ana"), Principal("bo"), Principal("cy"), Principal("root", is_admin=True))


@pytest.fixture(params=["async", "direct"])
def mode(request: pytest.FixtureRequest, studio: Studio) -> Mode:
    """The studio in the asynchronous and in the direct mode."""
    return Mode(studio, request.param)
