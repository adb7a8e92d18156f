"""The command `tenantry`: what it does, and that whatever it refuses takes one line and changes nothing."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

import tenantry.api.serve  # noqa: F401  (loaded before a test gives up the right to read the libraries)
from tenantry.alembic import revisions
from tenantry.alembic.migrate import connected
from tenantry.alembic.roles import roles_sql
from tenantry.cli import main
from tenantry.database import DatabaseURL, inspection, parse_url
from tests.conftest import LOGIN, Postgres

NOBODY = 65534
EVERY_COMMAND = (
    ("serve", "--port", "0"),
    ("demo", "--no-serve"),
    ("db", "upgrade"),
    ("db", "check"),
    ("import", str(Path(__file__).parents[2] / "examples" / "studio-demo" / "studio-demo.db")),
    ("export", "written.db"),
    ("user", "list"),
    ("legacy", "assign", "ana@example.com"),
)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def tenantry_command(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command in an empty folder."""
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: str, database: DatabaseURL | str | None = None) -> Said:
        if isinstance(database, DatabaseURL):
            database = database.url.render_as_string(hide_password=False)
        capfd.readouterr()
        status = main([*arguments, *(["--database", database] if database else [])])
        return Said(status, *capfd.readouterr())

    return run


def assert_refused(said: Said, *words: str) -> None:
    """One line that names what is wrong, and exit status 2."""
    assert said.status == 2, said
    assert said.out == ""
    assert said.err.startswith("tenantry: "), said.err
    assert said.err.count("\n") == 1, said.err
    for word in words:
        assert word in said.err


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
class TestDatabasesThatCannotBeUsed:
    """Every command that works on a database says the same about one that it cannot use."""

    @pytest.mark.parametrize("url", ["mysql://ana@localhost/studio", "studio.db", "sqlite://", "postgresql://localhost"])
    def test_a_url_that_is_none(self, tenantry_command: Command, command: tuple[str, ...], url: str) -> None:
        """The remedy shows what one looks like."""
        assert_refused(tenantry_command(*command, database=url), "database:", "sqlite:///")
        assert list(Path.cwd().iterdir()) == []

    def test_a_folder_that_is_not_there(self, tenantry_command: Command, command: tuple[str, ...]) -> None:
        """It is not made."""
        assert_refused(tenantry_command(*command, database="sqlite:///nowhere/studio.db"))
        assert list(Path.cwd().iterdir()) == []

    def test_a_server_that_does_not_answer(self, tenantry_command: Command, command: tuple[str, ...]) -> None:
        """The remedy says where to look."""
        assert_refused(tenantry_command(*command, database="postgresql://ana@127.0.0.1:1/studio"), "cannot be reached")

    def test_a_file_that_is_no_database(self, tenantry_command: Command, command: tuple[str, ...]) -> None:
        """It is left as it is."""
        file = Path("letter.txt")
        file.write_text("Dear Ana, " * 200)
        assert_refused(tenantry_command(*command, database="sqlite:///letter.txt"), "not a SQLite database")
        assert file.read_text() == "Dear Ana, " * 200
        assert list(Path.cwd().iterdir()) == [Path.cwd() / file]

    def test_a_database_of_a_newer_program(
        self, tenantry_command: Command, command: tuple[str, ...], database_url: DatabaseURL
    ) -> None:
        """Nothing is changed in what this program does not understand."""
        _set_revision(database_url, "9999")
        assert_refused(tenantry_command(*command, database=database_url), "9999", "newer")
        assert revisions(database_url).current == "9999"

    def test_a_login_that_row_level_security_does_not_bind(
        self, tenantry_command: Command, command: tuple[str, ...], unsafe_url: DatabaseURL
    ) -> None:
        """The remedy is a plain role."""
        assert_refused(tenantry_command(*command, database=unsafe_url), "row-level security", "plain role")

    def test_a_database_that_can_only_be_read(
        self, tenantry_command: Command, command: tuple[str, ...], read_only: DatabaseURL
    ) -> None:
        """What would only look is refused as well, because every command starts alike."""
        if command == ("db", "check") and read_only.dialect == "sqlite":
            pytest.fail("looks only")
        with _as_somebody_else():
            said = tenantry_command(*command, database=read_only)
        assert_refused(said, "written")


def test_the_doctor_names_each_thing_that_is_wrong(tenantry_command: Command, database_url: DatabaseURL) -> None:
    """One line a check; the exit status says whether all is well."""
    ill = tenantry_command("doctor", database=database_url)
    assert ill.status == 1
    assert [line for line in ill.out.splitlines() if line.startswith("FAIL")] == [
        "FAIL administrator  nobody who can log in is one. Run: tenantry user add EMAIL --admin"
    ]
