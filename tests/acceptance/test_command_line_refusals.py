"""Databases that cannot be used: every command says so in one line, with a remedy, and changes nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

import tenantry.api.serve  # noqa: F401  (loaded before a test gives up the right to read the libraries)
from tenantry import alembic
from tenantry.alembic.migrate import connected
from tenantry.database import DatabaseURL, inspection, parse_url
from tests.acceptance.commands import Command, address, assert_refused
from tests.conftest import Postgres

NOBODY = 65534
EXAMPLE = Path(__file__).parents[2] / "examples" / "studio-demo" / "studio-demo.db"
WORKING = (
    ("serve", "--port", "0"),
    ("demo", "--no-serve"),
    ("import", str(EXAMPLE)),
    ("export", "written.db"),
    ("user", "list"),
    ("legacy", "assign", "ana@example.com"),
)
"""Commands that work with the rows of a database."""

LOOKING = (("db", "upgrade"), ("db", "check"))


def _ids(words: tuple[str, ...]) -> str:
    return "-".join(words[:2]) if words[0] in {"db", "user", "legacy"} else words[0]


@pytest.fixture(params=WORKING, ids=_ids)
def working(request: pytest.FixtureRequest) -> tuple[str, ...]:
    command: tuple[str, ...] = request.param
    return command


@pytest.fixture(params=[*WORKING, *LOOKING], ids=_ids)
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    command: tuple[str, ...] = request.param
    return command


@pytest.mark.parametrize("url", ["mysql://ana@localhost/studio", "studio.db", "sqlite://", "postgresql://localhost"])
def test_a_url_that_is_none(run: Command, command: tuple[str, ...], url: str) -> None:
    """The remedy shows what one looks like."""
    assert_refused(run(*command, "--database", url), "database:", "sqlite:///")
    assert list(Path.cwd().iterdir()) == []


def test_a_folder_that_is_not_there(run: Command, command: tuple[str, ...]) -> None:
    """It is not made."""
    said = run(*command, "--database", "sqlite:///nowhere/studio.db")
    assert_refused(said)
    assert "folder" in said.err or "no file" in said.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("words", [("user", "list"), ("export", "written.db"), ("doctor",), ("db", "check"), ("db", "current")])
def test_a_file_that_is_not_there(run: Command, words: tuple[str, ...]) -> None:
    """A slip in the name of the file makes no new studio."""
    assert_refused(run(*words), "There is no file tenantry.db", "tenantry db upgrade")
    assert list(Path.cwd().iterdir()) == []


def test_a_server_that_does_not_answer(run: Command, command: tuple[str, ...]) -> None:
    """The remedy says where to look."""
    assert_refused(run(*command, "--database", "postgresql://ana@127.0.0.1:1/studio"), "cannot be reached", "Check")


def test_a_file_that_is_no_database(run: Command, command: tuple[str, ...]) -> None:
    """It is left as it is."""
    file = Path("letter.txt")
    file.write_text("Dear Ana, " * 200)
    assert_refused(run(*command, "--database", "sqlite:///letter.txt"), "not a SQLite database")
    assert file.read_text() == "Dear Ana, " * 200
    assert [found.name for found in Path.cwd().iterdir()] == ["letter.txt"]


def test_an_import_of_what_is_no_studio_of_invokeai_makes_no_database(run: Command) -> None:
    """The file is looked at first."""
    Path("letter.txt").write_text("Dear Ana, " * 200)
    assert_refused(run("import", "letter.txt"), "file:", "not a SQLite database")
    assert [found.name for found in Path.cwd().iterdir()] == ["letter.txt"]


@pytest.mark.postgres
def test_a_login_that_the_server_does_not_know(run: Command, command: tuple[str, ...], postgres: Postgres) -> None:
    """The remedy names what the URL may have wrong."""
    for url in (postgres.url("postgres", login="nobody"), postgres.url("nothing")):
        assert_refused(
            run(*command, "--database", address(url)), "database:", "refused the login", "user, password and database"
        )


def test_the_database_of_another_program(run: Command, working: tuple[str, ...]) -> None:
    """InvokeAI's own database is imported, never served as it is."""
    shutil.copyfile(EXAMPLE, "invokeai.db")
    assert_refused(run(*working, "--database", "sqlite:///invokeai.db"), "another program", "tenantry import FILE")
    assert Path("invokeai.db").read_bytes() == EXAMPLE.read_bytes()


def test_a_database_of_a_newer_program(run: Command, command: tuple[str, ...], database_url: DatabaseURL) -> None:
    """Nothing is changed in what this program does not understand."""
    _set_revision(database_url, "9999")
    assert_refused(run(*command, "--database", address(database_url)), "9999", "newer")
    assert alembic.revisions(database_url).current == "9999"
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.postgres
def test_a_postgresql_database_that_is_behind(run: Command, working: tuple[str, ...], empty_postgres_url: DatabaseURL) -> None:
    """Only `tenantry db upgrade` and `--upgrade` bring it up to date."""
    assert_refused(run(*working, "--database", address(empty_postgres_url)), "tenantry db upgrade")
    assert alembic.revisions(empty_postgres_url).current is None


@pytest.mark.postgres
@pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS"])
def test_a_login_that_sees_all_rows(
    run: Command, command: tuple[str, ...], right: str, postgres: Postgres, postgres_url: DatabaseURL
) -> None:
    """Row-level security would not hold, so not even a migration is run."""
    with _login(postgres, postgres_url, right) as url:
        assert_refused(run(*command, "--database", address(url)), "row-level security", "plain role")


@pytest.mark.postgres
def test_a_login_that_inherits_the_service_role(
    run: Command, working: tuple[str, ...], postgres: Postgres, postgres_url: DatabaseURL
) -> None:
    """It would see all rows outside of a unit of work; the remedy is the statement to run."""
    with _login(postgres, postgres_url, "NOSUPERUSER") as url:
        postgres.as_superuser("GRANT tenantry_service TO tenantry_unsafe WITH INHERIT TRUE")
        assert_refused(run(*working, "--database", address(url)), "inherits", "WITH INHERIT FALSE")


@pytest.mark.postgres
def test_a_postgresql_database_that_can_only_be_read(
    run: Command, working: tuple[str, ...], postgres: Postgres, postgres_url: DatabaseURL
) -> None:
    """A standby, say."""
    postgres.as_superuser(f"ALTER DATABASE {postgres_url.url.database} SET default_transaction_read_only = on")
    assert_refused(run(*working, "--database", address(postgres_url)), "can be read but not written", "primary")


@pytest.mark.sqlite
def test_a_sqlite_file_that_can_only_be_read(run: Command, working: tuple[str, ...], migrated_sqlite: Path) -> None:
    """The remedy names the right that is missing."""
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copyfile(migrated_sqlite, folder / "studio.db")
        (folder / "studio.db").chmod(0o444)
        folder.chmod(0o555)
        # An export may write its own file.
        os.chdir(tempfile.gettempdir())
        with _without_privileges():
            said = run(*working, "--database", f"sqlite:///{folder / 'studio.db'}")
        assert_refused(said, "can be read but not written", "write permission")
        assert (folder / "studio.db").read_bytes() == migrated_sqlite.read_bytes()
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def _without_privileges() -> Iterator[None]:
    """As an ordinary user, whom permissions bind; the tests may be run by root, whom they do not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def _login(postgres: Postgres, url: DatabaseURL, right: str) -> Iterator[DatabaseURL]:
    """The database through another login with a right."""
    postgres.as_superuser(f"CREATE ROLE tenantry_unsafe LOGIN {right}")
    try:
        assert url.url.database
        yield postgres.url(url.url.database, login="tenantry_unsafe")
    finally:
        postgres.as_superuser("DROP ROLE tenantry_unsafe")


def _set_revision(url: DatabaseURL, revision: str) -> None:
    with connected(url) as connection:
        if url.dialect == "sqlite":
            inspection.begin_writing(connection)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.commit()


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[DatabaseURL]:
    """A PostgreSQL database without tables."""
    postgres.create_database("tenantry_empty")
    yield parse_url(address(postgres.url("tenantry_empty")))
    postgres.drop_database("tenantry_empty")
