"""The command `tenantry`: help, schema, doctor, import and export."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import typer.main

from tenantry.cli.application import application
from tenantry.database import DatabaseURL
from tests.acceptance.commands import Command, address, assert_refused
from tests.conftest import Postgres

HEAD = "0004"
EXAMPLE = Path(__file__).parents[2] / "examples" / "studio-demo" / "studio-demo.db"


def _all_commands() -> Iterator[tuple[str, ...]]:
    """Every command and group, as the words that lead to it."""

    def below(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, child in getattr(command, "commands", {}).items():
            yield from below(child, (*words, name))

    yield from below(typer.main.get_command(application), ())


@pytest.mark.parametrize("words", list(_all_commands()), ids=lambda words: "-".join(words) or "tenantry")
def test_every_command_explains_itself(run: Command, words: tuple[str, ...]) -> None:
    """With a sentence, and an example that begins like the command."""
    said = run(*words, "--help")
    text = " ".join(said.out.split())
    assert (said.status, said.err) == (0, "")
    assert f"Example: tenantry {' '.join(words)}" in text or words == ()


@pytest.mark.parametrize(
    "words", [("nonsense",), ("db", "nonsense"), ("serve", "--nonsense"), ("serve", "--port", "x"), ("import",)], ids=" ".join
)
def test_a_command_that_is_none_is_refused_in_one_line(run: Command, words: tuple[str, ...]) -> None:
    """Like everything else that cannot be done."""
    assert_refused(run(*words))
    assert list(Path.cwd().iterdir()) == []


def test_an_error_that_nobody_foresaw_takes_one_line_too(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its origin is shown when asked for."""

    def fail(_: DatabaseURL) -> None:
        raise ZeroDivisionError("by nothing\nat all")

    monkeypatch.setattr("tenantry.alembic.revisions", fail)
    assert_refused(run("db", "upgrade"), "ZeroDivisionError", "by nothing at all", "--traceback")
    with pytest.raises(ZeroDivisionError):
        run("--traceback", "db", "upgrade")


def test_the_package_is_a_command_too(tmp_path: Path) -> None:
    """`python -m tenantry` does the same, and its status is the command's."""
    command = [sys.executable, "-m", "tenantry"]
    assert subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True).stdout.startswith(
        "tenantry 0."
    )
    refused = subprocess.run([*command, "db", "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


def test_the_environment_names_the_database(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no option does."""
    monkeypatch.setenv("TENANTRY_DATABASE", "sqlite:///named.db")
    assert run("db", "upgrade").status == 0
    assert Path("named.db").exists()
    monkeypatch.setenv("TENANTRY_PORT", "nine")
    assert_refused(run("db", "upgrade"), "TENANTRY_PORT")


def test_a_schema_goes_up_and_down(run: Command, empty_database_url: DatabaseURL) -> None:
    """Each command says where the database is now, and none shows a password."""
    database = ("--database", address(empty_database_url))
    if empty_database_url.dialect == "postgresql":
        assert f"revision base (older than {HEAD}" in run("db", "current", *database).out
    assert f"was brought to revision {HEAD}" in run("db", "upgrade", *database).out
    assert f"is at revision {HEAD}." in run("db", "upgrade", *database).out
    assert "(up to date)" in run("db", "current", *database).out
    assert "exactly the tables" in run("db", "check", *database).out
    assert "is at revision base" in run("db", "downgrade", "base", "--yes", *database).out
    assert_refused(run("db", "check", *database), "tenantry db upgrade")
    assert_refused(run("db", "upgrade", "nonsense", *database), "nonsense")


def test_a_schema_changed_by_hand_is_found(run: Command, sqlite_url: DatabaseURL) -> None:
    """The check names the first difference."""
    _sql(sqlite_url, "ALTER TABLE boards ADD COLUMN colour TEXT")
    assert_refused(run("db", "check", "--database", address(sqlite_url)), "colour")


def test_an_import_shows_what_it_did(run: Command, database_url: DatabaseURL) -> None:
    """A second one finds everything there."""
    database = ("--database", address(database_url))
    first = run("import", str(EXAMPLE), *database)
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("Brought in")
    assert _counts(first.out, "images") == [39, 39, 0, 0, 0]
    assert f"TENANTRY_OUTPUTS={EXAMPLE.parent / 'outputs'}" in first.out
    second = run("import", str(EXAMPLE), *database)
    assert second.out.startswith("Everything was there already")
    assert _counts(second.out, "images") == [39, 0, 39, 0, 0]


def test_an_export_is_a_database_of_its_own(run: Command, database_url: DatabaseURL) -> None:
    """And never takes the place of another file."""
    database = ("--database", address(database_url))
    run("import", str(EXAMPLE), *database)
    said = run("export", "invokeai.db", *database)
    assert (said.status, said.err) == (0, "")
    assert _counts(said.out, "images") == [39]
    with sqlite3.connect("invokeai.db") as connection:
        assert connection.execute("SELECT count(*) FROM images").fetchone() == (39,)
    connection.close()
    assert Path("invokeai.db").stat().st_mode & 0o077 == 0
    before = Path("invokeai.db").read_bytes()
    assert_refused(run("export", "invokeai.db", *database), "invokeai.db")
    assert Path("invokeai.db").read_bytes() == before


def test_a_file_that_cannot_be_imported(run: Command, sqlite_url: DatabaseURL) -> None:
    """Whatever is wrong with it, nothing is brought in."""
    Path("letter.txt").write_text("Dear Ana, " * 200)
    shutil.copyfile(sqlite_url.path, "ours.db")
    for name in ("letter.txt", "ours.db", "missing.db"):
        assert_refused(run("import", name, "--database", address(sqlite_url)))
        assert not Path("missing.db").exists()
    assert "0 can log in" not in run("doctor", "--database", address(sqlite_url)).out


def test_the_doctor_finds_a_sound_database_sound(run: Command, database_url: DatabaseURL) -> None:
    """One line a check, none of which asks for anything."""
    database = ("--database", address(database_url))
    run("import", str(EXAMPLE), *database)
    said = run("doctor", *database)
    assert said.status == 0, said
    assert {line.split()[0] for line in said.out.splitlines()} == {"ok"}
    checks = [line.split()[1] for line in said.out.splitlines()]
    common = ["schema", "tables", "links", "search", "queue", "administrator"]
    if database_url.dialect == "sqlite":
        assert checks == ["database", "secret", *common, "pragmas"]
    else:
        assert checks == ["database", "login", "roles", *common[:2], "policies", *common[2:]]


def test_the_doctor_asks_for_an_administrator(run: Command, database_url: DatabaseURL) -> None:
    """Somebody must be able to let others in."""
    said = run("doctor", "--database", address(database_url))
    assert said.status == 1
    assert _ills(said.out) == ["administrator"]
    assert "Run: tenantry user add EMAIL --admin" in said.out


def test_the_doctor_looks_at_a_sqlite_file(run: Command, sqlite_url: DatabaseURL) -> None:
    """Who may read it, what its rows point at, whether it is ours and up to date."""
    database = ("--database", address(sqlite_url))
    run("import", str(EXAMPLE), *database)
    sqlite_url.path.chmod(0o644)
    said = run("doctor", *database)
    assert _ills(said.out) == ["secret"]
    assert f"chmod 600 {sqlite_url.path}" in said.out
    sqlite_url.path.chmod(0o600)
    _sql(sqlite_url, "PRAGMA foreign_keys = OFF", "INSERT INTO client_state VALUES ('nobody', 'key', '1', 'now')")
    assert _ills(run("doctor", *database).out) == ["links"]
    _sql(sqlite_url, "ALTER TABLE boards ADD COLUMN colour TEXT")
    assert _ills(run("doctor", *database).out) == ["tables", "links"]
    _sql(sqlite_url, "UPDATE alembic_version SET version_num = '9999'")
    assert _ills(run("doctor", *database).out) == ["schema"]
    sqlite_url.path.write_text("Dear Ana, " * 200)
    assert _ills(run("doctor", *database).out) == ["database"]


@pytest.mark.postgres
def test_the_doctor_looks_at_a_postgresql_login(run: Command, postgres: Postgres, postgres_url: DatabaseURL) -> None:
    """It reports what every other command refuses."""
    superuser = postgres.url(postgres_url.url.database or "", login="postgres")
    said = run("doctor", "--database", address(superuser))
    assert _ills(said.out)[0] == "login"
    assert "superuser" in said.out
    assert "CREATE ROLE tenantry LOGIN" in said.out


@pytest.mark.postgres
def test_the_doctor_looks_at_policies(run: Command, postgres: Postgres, postgres_url: DatabaseURL) -> None:
    """A table without row-level security is named, with the statement that mends it."""
    with_owner = f"SET SESSION AUTHORIZATION {postgres_url.url.username}"
    _psql(postgres, postgres_url, with_owner, "ALTER TABLE boards NO FORCE ROW LEVEL SECURITY")
    said = run("doctor", "--database", address(postgres_url))
    assert _ills(said.out) == ["policies", "administrator"]
    assert "not forced on boards" in said.out
    assert "ALTER TABLE boards ENABLE" in said.out


@pytest.mark.postgres
def test_the_doctor_only_warns_of_a_missing_extension(run: Command, postgres: Postgres, postgres_url: DatabaseURL) -> None:
    """Search works without it."""
    run("import", str(EXAMPLE), "--database", address(postgres_url))
    _psql(postgres, postgres_url, "DROP EXTENSION pg_trgm CASCADE")
    said = run("doctor", "--database", address(postgres_url))
    assert said.status == 0
    assert [line.split()[:2] for line in said.out.splitlines() if not line.startswith("ok")] == [["WARN", "search"]]
    assert "CREATE EXTENSION pg_trgm" in said.out


def test_the_doctor_says_what_cannot_be_reached(run: Command) -> None:
    """That is a finding, not a refusal."""
    said = run("doctor", "--database", "postgresql://ana@127.0.0.1:1/studio")
    assert (said.status, said.err) == (1, "")
    assert _ills(said.out) == ["database"]


def _ills(out: str) -> list[str]:
    return [line.split()[1] for line in out.splitlines() if line.startswith("FAIL")]


def _counts(out: str, table: str) -> list[int]:
    """The numbers in a table's row."""
    (row,) = [line.split() for line in out.splitlines() if line.split()[:1] == [table]]
    numbers: list[int] = json.loads(f"[{','.join(row[1:])}]")
    return numbers


def _sql(url: DatabaseURL, *statements: str) -> None:
    connection = sqlite3.connect(url.path)
    connection.create_function("tenantry_user", 0, lambda: None)
    connection.create_function("tenantry_privileged", 0, lambda: 1)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _psql(postgres: Postgres, url: DatabaseURL, *statements: str) -> None:
    database = url.url.database
    with psycopg.connect(postgres.admin.replace("/postgres?", f"/{database}?"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
