"""Files that cannot serve as a database: each is refused with its own typed error, and nothing is changed or made."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenantry import Principal, Studio
from tenantry.alembic.migrate import revisions
from tenantry.database import DatabaseURL, parse_url
from tenantry.errors import DatabaseReadOnly, DatabaseUnavailable, NotADatabase, SchemaOutdated
from tenantry.studio import connect
from tests.integration.conftest import Mode

NOBODY = Principal("nobody")


@contextmanager
def permissions_count() -> Iterator[None]:
    """Where the tests run as root, who may do everything, act as somebody else."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def readable_path(sqlite_url: DatabaseURL) -> Path:
    """A database file whose folders anybody may enter."""
    for folder in sqlite_url.path.parents:
        if folder.stat().st_mode & 0o055 != 0o055:
            folder.chmod(0o755)
    return sqlite_url.path


def directory(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("This is no database, but it is long enough to be taken for one. " * 20)


def torn(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 200)


@pytest.mark.parametrize(
    ("make", "error"), [(directory, DatabaseUnavailable), (text, NotADatabase), (torn, DatabaseUnavailable)]
)
def test_what_is_no_database_is_refused(tmp_path: Path, make: Callable[[Path], None], error: type[DatabaseUnavailable]) -> None:
    """And stays as it was."""
    path = tmp_path / "odd.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for migrate in (True, False):
        with pytest.raises(error) as caught:
            connect(f"sqlite:///{path}", migrate=migrate)
        assert caught.value.remedy
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_missing_folder_is_named_as_the_reason(tmp_path: Path) -> None:
    """It is not made."""
    with pytest.raises(DatabaseUnavailable) as caught:
        connect(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}")
    assert "folder" in (caught.value.remedy or "")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_made_by_a_migration_only(tmp_path: Path) -> None:
    """Looking at it makes nothing; the new file is its owner's alone, and so are its companions."""
    url = parse_url(f"sqlite:///{tmp_path / 'studio.db'}")
    assert revisions(url).current is None
    with pytest.raises(SchemaOutdated):
        connect(url, migrate=False)
    assert list(tmp_path.iterdir()) == []
    studio = connect(url)
    studio.direct.reading(NOBODY, lambda work: work.boards.all())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    studio.close()


def test_a_file_that_may_not_be_read_is_unavailable(readable_path: Path) -> None:
    """The remedy speaks of permissions."""
    readable_path.chmod(0)
    with permissions_count(), pytest.raises(DatabaseUnavailable) as caught:
        connect(f"sqlite:///{readable_path}")
    assert "read" in (caught.value.remedy or "")


def test_a_file_that_may_not_be_written_is_read_only(readable_path: Path) -> None:
    """Told at the first write at the latest, and not as a crash of the driver."""
    readable_path.chmod(0o444)
    url = f"sqlite:///{readable_path}"
    with permissions_count():
        with pytest.raises(DatabaseReadOnly) as caught:
            connect(url)
        assert caught.value.remedy
        with pytest.raises(DatabaseUnavailable):
            connect(url, migrate=False).direct.writing(NOBODY, lambda work: work.boards.create("x"))


@pytest.mark.parametrize("name", ["async", "direct"])
@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_vanishes_or_is_replaced_while_open_is_noticed(
    sqlite_url: DatabaseURL, name: str, replaced: bool
) -> None:
    """Writes to it would be lost and reads old; no empty file takes its place."""
    studio: Studio = connect(sqlite_url)
    mode = Mode(studio, name)
    assert await mode.read(NOBODY, lambda work: work.boards.all()) == []
    sqlite_url.path.rename(sqlite_url.path.with_name("moved.db"))
    if replaced:
        sqlite3.connect(sqlite_url.path).close()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await mode.read(NOBODY, lambda work: work.boards.all())
        with pytest.raises(DatabaseUnavailable):
            await mode.write(NOBODY, lambda work: work.boards.create("x"))
    assert sqlite_url.path.exists() is replaced
    await studio.aclose()


def test_odd_names_of_files_are_taken_as_they_are(tmp_path: Path) -> None:
    """Blanks, percent and question signs, and letters beyond ASCII."""
    for number, name in enumerate(("a b.db", "100%.db", "füchse.db", "a%20b.db")):
        folder = tmp_path / str(number)
        folder.mkdir()
        url = parse_url(f"sqlite:///{folder}/x.db")
        url = DatabaseURL(url.url.set(database=str(folder / name)), "sqlite")
        connect(url).close()
        assert [path.name for path in folder.iterdir()] == [name]
