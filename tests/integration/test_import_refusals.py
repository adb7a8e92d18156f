"""Files that are not imported: each error names what was found and what to do, and nothing is changed."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.alembic import upgrade
from tenantry.database import DatabaseURL, parse_url
from tenantry.database.tables import users
from tenantry.errors import ImportRefused, NotADatabase, TenantryError
from tenantry.invokeai.importer import import_invokeai
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.invokeai_files import EXAMPLE, add, add_image, editing, new_source

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture
def target(database_url: DatabaseURL) -> Iterator[Studio]:
    """A studio without rows, on each database."""
    studio = connect(database_url)
    yield studio
    studio.close()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped example."""
    return Path(shutil.copyfile(EXAMPLE, tmp_path / "invokeai.db"))


def _forget(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM applied_migrations WHERE migration_id >= '2026_07_31' AND legacy_version IS NULL")


def _numbered_only(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE applied_migrations")
    db.execute("DELETE FROM migrations WHERE version > 27")


def _ancient(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE applied_migrations")
    db.execute("DROP TABLE migrations")


def _gap(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM applied_migrations WHERE migration_id = 'migration_31'")


def _newer(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO applied_migrations (migration_id) VALUES ('2027_01_01_flying')")


def _newer_number(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO migrations (version) VALUES (34)")


def _column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE images ADD COLUMN rating INTEGER")


def _without_table(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE board_videos")


def _broken_text(db: sqlite3.Connection) -> None:
    db.execute("UPDATE boards SET board_name = CAST(x'ff' AS TEXT) WHERE rowid = 2")


def _bytes_as_key(db: sqlite3.Connection) -> None:
    add(db, "system_prompts", id=b"\x01", name="n", content="c")


@pytest.mark.parametrize(
    ("change", "says", "remedy"),
    [
        (_forget, "older than InvokeAI 6.14: its newest migration is 2026_07_10_create_system_prompts", "Start InvokeAI 6.14"),
        (_numbered_only, "its newest migration is migration_27", "Start InvokeAI 6.14 once"),
        (_ancient, "it records no migration at all", "Start InvokeAI 6.14 once"),
        (_gap, "it lacks the migrations migration_31", "Start InvokeAI 6.14 once"),
        (_newer, "newer InvokeAI than 6.14 has changed this database; unknown migrations: 2027_01_01_flying", "release"),
        (_newer_number, "unknown migrations: migration_34", "release of Tenantry"),
        (_column, "The table images is not as InvokeAI 6.14 has it; it differs in: rating", "unmodified"),
        (_without_table, "The table board_videos is missing", "backup"),
        (_broken_text, "The value of board_name in row .* of boards is not valid UTF-8", "table boards, column board_name"),
        (_bytes_as_key, "The value of id in row .* of system_prompts is not text", "table system_prompts, column id"),
    ],
)
def test_a_database_that_does_not_fit_is_refused(target: Studio, copy: Path, change: Change, says: str, remedy: str) -> None:
    """The error says what was found and what to do."""
    with editing(copy) as db:
        change(db)
    _refused(target, copy, ImportRefused, says, remedy)


def test_files_of_other_kinds_are_refused(target: Studio, tmp_path: Path) -> None:
    """A text, a folder, nothing, an empty file, a stranger's database, and one of ours."""
    text = tmp_path / "text.db"
    text.write_text("This is not a database, however long it goes on." * 100)
    _refused(target, text, NotADatabase, "not a SQLite database", "InvokeAI's own database")
    _refused(target, tmp_path, ImportRefused, "cannot be read", "InvokeAI's own database")
    _refused(target, tmp_path / "none.db", ImportRefused, "There is no file", "InvokeAI's own database")
    empty = tmp_path / "empty.db"
    empty.touch()
    _refused(target, empty, ImportRefused, "but not InvokeAI's", "InvokeAI's own database")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE images (a)")
    _refused(target, tmp_path / "other.db", ImportRefused, "but not InvokeAI's", "InvokeAI's own database")
    upgrade(parse_url(f"sqlite:///{tmp_path / 'ours.db'}"))
    _refused(target, tmp_path / "ours.db", ImportRefused, "of Tenantry", "InvokeAI's own database")


def test_a_damaged_database_is_refused(target: Studio, copy: Path) -> None:
    """Whether the damage shows at once or while reading."""
    size = copy.stat().st_size
    with copy.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192 - 4096))
    _refused(target, copy, ImportRefused, "damaged", "backup")
    with copy.open("r+b") as file:
        file.truncate(5000)
    _refused(target, copy, ImportRefused, "damaged", "backup")


def test_a_file_that_somebody_is_writing_is_refused(target: Studio, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the journal mode of this file a reader and a writer exclude each other."""
    monkeypatch.setattr("tenantry.invokeai.source.PATIENCE", 0.05)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        _refused(target, copy, ImportRefused, "being written", "Stop InvokeAI")


def test_a_file_that_changes_meanwhile_is_refused(target: Studio, tmp_path: Path) -> None:
    """What was read might be of two moments."""
    source = new_source(tmp_path / "invokeai.db")
    with closing(sqlite3.connect(source)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        add_image(db, "a.png")
        db.commit()

    def write(table: str, done: int, total: int) -> None:
        if table == "images" and done == 0:
            with closing(sqlite3.connect(source)) as db:
                add_image(db, "b.png")
                db.commit()

    with pytest.raises(ImportRefused, match="changed while it was being read"):
        import_invokeai(source, target, progress=write)
    assert _people(target) == []


@pytest.mark.postgres
def test_postgresql_refuses_nul_bytes_by_table_row_and_column(postgres_url: DatabaseURL, tmp_path: Path) -> None:
    """It cannot store them, and nothing may be lost."""
    source = _with_nul(tmp_path)
    studio = connect(postgres_url)
    try:
        _refused(studio, source, ImportRefused, r'metadata in row \["a\.png"\] of images contains NUL', "column metadata")
    finally:
        studio.close()


@pytest.mark.postgres
def test_postgresql_refuses_names_that_no_index_holds(postgres_url: DatabaseURL, tmp_path: Path) -> None:
    """The error names the table and where in it the row is."""
    source = new_source(tmp_path / "invokeai.db")
    with editing(source) as db:
        add_image(db, "".join(chr(0x4E00 + number) for number in range(3000)))
    studio = connect(postgres_url)
    try:
        _refused(studio, source, ImportRefused, "Rows of media .* too long for an index", "Shorten")
    finally:
        studio.close()


@pytest.mark.sqlite
def test_sqlite_keeps_nul_bytes(sqlite_url: DatabaseURL, tmp_path: Path) -> None:
    """As InvokeAI's database did."""
    report = import_invokeai(_with_nul(tmp_path), sqlite_url)
    assert {table.table: table.written for table in report.tables}["images"] == 1


def test_a_refused_file_makes_no_database(tmp_path: Path) -> None:
    """The file is judged before anything is opened for writing."""
    with pytest.raises(ImportRefused):
        import_invokeai(tmp_path / "none.db", f"sqlite:///{tmp_path / 'new.db'}")
    assert list(tmp_path.iterdir()) == []


def _refused(target: Studio, file: Path, error: type[TenantryError], says: str, remedy: str) -> None:
    with pytest.raises(error, match=says) as caught:
        import_invokeai(file, target)
    assert caught.value.field == "file"
    assert remedy in (caught.value.remedy or "")
    assert _people(target) == []


def _people(studio: Studio) -> list[str]:
    query = sa.select(users.c.user_id).where(users.c.kind == "person")
    with studio.direct.read(Principal.internal(InternalReason.OPERATE)) as work:
        return [row.user_id for row in run(work.ground.connection.fetch_all(query))]


def _with_nul(folder: Path) -> Path:
    source = new_source(folder / "invokeai.db")
    with editing(source) as db:
        add_image(db, "a.png", metadata="a\0b")
    return source
