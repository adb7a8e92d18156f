"""Upgrades of databases that are in use: full ones, newer ones, and by several programs at once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import alembic
from tenantry.alembic.migrate import connected
from tenantry.database import DatabaseURL, inspection, parse_url
from tenantry.errors import MigrationFailed, NotADatabase, SchemaOutdated, SchemaTooNew, TenantryError
from tenantry.studio import connect
from tests.migration.rows import privileged

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004")
"""Every revision in order; a new one is added here and finds the rows of the first one."""

THEN = "2026-11-23 12:00:00.000"
# The first value of each row tells it from others.
ROWS: dict[str, dict[str, object]] = {
    "users": {"user_id": "ana", "email": "ana@example.com", "display_name": "Ana", "created_at": THEN, "updated_at": THEN},
    "boards": {"board_id": "foxes", "user_id": "ana", "board_name": "Foxes", "created_at": THEN, "updated_at": THEN},
    "media": {
        "name": "fox.png",
        "kind": "image",
        "user_id": "ana",
        "board_id": "foxes",
        "origin": "internal",
        "category": "general",
        "width": 64,
        "height": 64,
        "created_at": THEN,
        "updated_at": THEN,
    },
    "queue_items": {
        "session_id": "running",
        "user_id": "ana",
        "queue_id": "default",
        "status": "in_progress",
        "status_sequence": 1,
        "session": '{"id": "running"}',
        "created_at": THEN,
        "updated_at": THEN,
    },
    "client_state": {"user_id": "ana", "key": "theme", "value": '{"dark": true}', "updated_at": THEN},
}


def test_rows_survive_every_upgrade(empty_database_url: DatabaseURL) -> None:
    """What the first schema was filled with is there after each later step, and points at what it pointed at."""
    alembic.upgrade(empty_database_url, REVISIONS[0])
    _fill(empty_database_url)
    for revision in REVISIONS[1:]:
        alembic.upgrade(empty_database_url, revision)
        assert _kept(empty_database_url) == ROWS
    alembic.upgrade(empty_database_url)
    assert alembic.revisions(empty_database_url).up_to_date
    assert _kept(empty_database_url) == ROWS


def test_a_full_database_can_be_taken_down(empty_database_url: DatabaseURL) -> None:
    """Rows that point at each other do not stand in the way, and each step leaves what the one below knows."""
    alembic.upgrade(empty_database_url, REVISIONS[0])
    _fill(empty_database_url)
    alembic.upgrade(empty_database_url)
    for revision in reversed(REVISIONS[:-1]):
        alembic.downgrade(empty_database_url, revision)
        assert _kept(empty_database_url) == ROWS
    alembic.downgrade(empty_database_url, "base")
    assert alembic.revisions(empty_database_url).current is None


def test_every_revision_is_tested(tmp_path: Path) -> None:
    """A migration that nobody tried on rows fails here."""
    assert REVISIONS[-1] == alembic.revisions(_file(tmp_path / "none.db")).head


def test_a_database_of_a_newer_program_is_left_alone(database_url: DatabaseURL) -> None:
    """Whatever is asked of it, the answer says what to install, and the database stays as it is."""
    _set_revision(database_url, "9999")
    attempts = (
        lambda: alembic.upgrade(database_url),
        lambda: alembic.downgrade(database_url, "base"),
        lambda: alembic.check_schema(database_url),
        lambda: connect(database_url),
    )
    for attempt in attempts:
        with pytest.raises(SchemaTooNew, match="9999") as caught:
            attempt()
        assert caught.value.remedy
    assert alembic.revisions(database_url).current == "9999"


def test_postgresql_is_upgraded_only_when_told(empty_database_url: DatabaseURL) -> None:
    """Other servers may be working on it; a SQLite file has no others and is upgraded at once."""
    if empty_database_url.dialect == "sqlite":
        connect(empty_database_url).close()
    else:
        with pytest.raises(SchemaOutdated, match="tenantry db upgrade"):
            connect(empty_database_url)
        assert alembic.revisions(empty_database_url).current is None
        connect(empty_database_url, migrate=True).close()
    assert alembic.revisions(empty_database_url).up_to_date


def test_several_programs_upgrade_at_once(empty_database_url: DatabaseURL) -> None:
    """One does the work, the others wait and find it done."""
    address = empty_database_url.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tenantry", "db", "upgrade", "--database", address]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(3)]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], errors
    assert alembic.revisions(empty_database_url).up_to_date
    assert alembic.drift(empty_database_url) == []


def test_an_unknown_revision_changes_nothing(database_url: DatabaseURL) -> None:
    """The error says where to look."""
    before = alembic.revisions(database_url)
    for act in (alembic.upgrade, alembic.downgrade):
        with pytest.raises(MigrationFailed):
            act(database_url, "nonsense")
    assert alembic.revisions(database_url) == before


@pytest.mark.sqlite
def test_the_file_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    """Not one byte is changed, and no file appears beside it."""
    path = tmp_path / "other.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE boards (board_id TEXT)")
    engine.dispose()
    before = path.read_bytes()
    with pytest.raises(NotADatabase, match="tenantry import"):
        connect(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]


@pytest.mark.sqlite
def test_a_failed_step_leaves_no_half_of_a_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps are one transaction."""
    url = _file(tmp_path / "studio.db")

    def fail(_: sa.Connection) -> None:
        raise MigrationFailed("Rows would point at nothing.")

    monkeypatch.setattr("tenantry.alembic.migrate._check_references", fail)
    with pytest.raises(TenantryError):
        alembic.upgrade(url)
    with connected(url) as connection:
        assert sa.inspect(connection).get_table_names() == []


def _fill(url: DatabaseURL) -> None:
    with privileged(url) as connection:
        for name, row in ROWS.items():
            values = row | ({"batch_id": "foxes"} if name == "queue_items" else {})
            connection.execute(sa.insert(sa.Table(name, sa.MetaData(), autoload_with=connection)).values(values))
        connection.commit()


def _kept(url: DatabaseURL) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with privileged(url) as connection:
        for name, row in ROWS.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            key = next(iter(row))
            query = sa.select(*(table.c[column] for column in row)).where(table.c[key] == row[key])
            found[name] = dict(connection.execute(query).mappings().one())
        connection.rollback()
    return found


def _set_revision(url: DatabaseURL, revision: str) -> None:
    with connected(url) as connection:
        if url.dialect == "sqlite":
            inspection.begin_writing(connection)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.commit()


def _file(path: Path) -> DatabaseURL:
    return parse_url(f"sqlite:///{path}")
