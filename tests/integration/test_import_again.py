"""Imports into a database that holds something: the same file again, a fresh installation, a studio of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL
from tenantry.database.tables import app_settings, media, users
from tenantry.errors import ImportRefused, NotFound
from tenantry.invokeai.exporter import export_invokeai
from tenantry.invokeai.importer import import_invokeai
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.invokeai_files import EXAMPLE, add, add_image, contents, editing, new_source


@pytest.fixture
def target(database_url: DatabaseURL) -> Iterator[Studio]:
    """A studio without rows, on each database."""
    studio = connect(database_url)
    yield studio
    studio.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A made-up InvokeAI database that a test fills."""
    return new_source(tmp_path / "invokeai.db")


def test_a_second_import_changes_nothing_and_says_so(target: Studio, tmp_path: Path) -> None:
    """Rows that are there are counted as unchanged."""
    first = import_invokeai(EXAMPLE, target)
    second = import_invokeai(EXAMPLE, target)
    assert not second.changed
    assert [table.unchanged for table in second.tables] == [table.read for table in first.tables]
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(EXAMPLE)


def test_a_second_import_does_not_mind_who_has_logged_in_since(target: Studio) -> None:
    """The later time stays."""
    import_invokeai(EXAMPLE, target)
    later = "2030-01-02 03:04:05.678"
    ana = users.c.email == "ana@example.com"
    with target.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        run(work.ground.connection.execute(sa.update(users).where(ana).values(last_login_at=later, updated_at=later)))
    assert not import_invokeai(EXAMPLE, target).changed
    with target.direct.read(Principal.internal(InternalReason.OPERATE)) as work:
        assert run(work.ground.connection.fetch_value(sa.select(users.c.last_login_at).where(ana))) == later


def test_a_file_without_its_system_user_goes_out_without_one(target: Studio, tmp_path: Path, source: Path) -> None:
    """Inside there is one all the same, because ownerless rows need it."""
    with editing(source) as db:
        db.execute("DELETE FROM users")
        add_image(db, "a.png")
    import_invokeai(source, target)
    assert not import_invokeai(source, target).changed
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)


def test_a_fresh_installations_own_rows_give_way(target: Studio, source: Path) -> None:
    """The secret and the system user that a first start made are replaced by the file's."""
    with target.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        made = {"created_at": "then", "updated_at": "then"}
        run(work.ground.connection.execute(sa.delete(users)))
        run(
            work.ground.connection.execute(
                sa.insert(users).values(user_id="system", email="system@system.invokeai", kind="system", **made)
            )
        )
        run(work.ground.connection.execute(sa.insert(app_settings).values(key="jwt_secret", value="own", **made)))
    import_invokeai(source, target)
    assert [row.value for row in _rows(target, sa.select(app_settings))] == ["feed"]
    assert [row.email for row in _rows(target, sa.select(users))] == ["s@s"]


def test_a_row_that_differs_is_named_and_nothing_changes(target: Studio, source: Path) -> None:
    """An import never overwrites what a user has changed since."""
    with editing(source) as db:
        add(db, "users", user_id="u1", email="ana@example.com", password_hash="h")
        add_image(db, "a.png", user_id="u1")
    import_invokeai(source, target)
    with editing(source) as db:
        db.execute("UPDATE images SET starred = 1")
        add_image(db, "b.png", user_id="u1")
    with pytest.raises(ImportRefused, match=r"a\.png.*media"):
        import_invokeai(source, target)
    assert [row.name for row in _rows(target, sa.select(media.c.name))] == ["a.png"]


def test_an_address_that_is_taken_is_refused(target: Studio, source: Path) -> None:
    """Two accounts with one address cannot be."""
    import_invokeai(source, target)
    with target.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        values = {"user_id": "mine", "email": "ana@example.com", "created_at": "", "updated_at": ""}
        run(work.ground.connection.execute(sa.insert(users).values(**values)))
    with editing(source) as db:
        add(db, "users", user_id="u1", email="ana@example.com", password_hash="h")
    with pytest.raises(ImportRefused, match="users"):
        import_invokeai(source, target)


def test_rows_of_system_that_were_given_away_count_as_there(target: Studio, source: Path) -> None:
    """Whoever assigns what a single-user studio left may import its file again."""
    with editing(source) as db:
        add(db, "users", user_id="u1", email="ana@example.com", password_hash="h")
        add_image(db, "a.png", user_id=None)
    import_invokeai(source, target)
    with target.direct.begin(Principal.internal(InternalReason.CHANGE_OWNER)) as work:
        run(work.ground.connection.execute(sa.update(media).values(user_id="u1")))
    assert not import_invokeai(source, target).changed
    assert [row.user_id for row in _rows(target, sa.select(media.c.user_id))] == ["u1"]


def test_a_single_user_studio_finds_its_user(target: Studio, tmp_path: Path, source: Path) -> None:
    """Assigning its rows on the way in can be repeated too; an address that nobody has changes nothing."""
    with editing(source) as db:
        add(db, "users", user_id="u1", email="ana@example.com", password_hash="h")
        add_image(db, "a.png", user_id=None)
        add(db, "boards", board_id="b1", board_name="one", archived=None)
        add(db, "client_state", user_id="system", key="theme", value="dark")
    with pytest.raises(NotFound):
        import_invokeai(source, target, assign_legacy="nobody@example.com")
    assert _rows(target, sa.select(media)) == []
    assert import_invokeai(source, target, assign_legacy="ana@example.com").legacy_assigned == 3
    again = import_invokeai(source, target, assign_legacy="ana@example.com")
    assert (again.changed, again.legacy_assigned) == (False, 0)
    export_invokeai(target, tmp_path / "out.db")
    with closing(sqlite3.connect(tmp_path / "out.db")) as out:
        assert out.execute("SELECT user_id FROM images").fetchall() == [("u1",)]
        assert out.execute("SELECT user_id, archived FROM boards").fetchall() == [("u1", None)]
        assert out.execute("SELECT user_id, key FROM client_state").fetchall() == [("u1", "theme")]


def _rows(studio: Studio, query: sa.Select[Any]) -> list[sa.Row[Any]]:
    with studio.direct.read(Principal.internal(InternalReason.OPERATE)) as work:
        return list(run(work.ground.connection.fetch_all(query)))
