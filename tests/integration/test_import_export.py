"""What comes in from InvokeAI goes out again as it was, whatever it was."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL
from tenantry.database.tables import boards, import_residue, media, queue_items, users
from tenantry.errors import Conflict, DatabaseUnavailable
from tenantry.invokeai.exporter import export_invokeai
from tenantry.invokeai.importer import import_invokeai
from tenantry.queue import Batch
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.invokeai_files import EXAMPLE, REAL, add, add_image, add_item, contents, editing, new_source, structure


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


@pytest.mark.parametrize("file", REAL, ids=lambda file: file.stem)
def test_every_row_of_a_real_database_comes_back_as_it_was(target: Studio, tmp_path: Path, file: Path) -> None:
    """Import and export change no value of any table."""
    before = _folder(file.parent)
    report = import_invokeai(file, target)
    assert report.changed
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(file)
    assert _folder(file.parent) == before


def test_an_export_is_built_as_invokeai_builds_its_database(target: Studio, tmp_path: Path) -> None:
    """Tables, columns, keys, indexes and triggers are the same, so InvokeAI finds nothing to migrate."""
    export_invokeai(target, tmp_path / "out.db")
    assert structure(tmp_path / "out.db") == structure(EXAMPLE)
    rows = contents(tmp_path / "out.db")
    assert [len(rows[name]) for name in ("migrations", "applied_migrations", "users", "app_settings")] == [34, 40, 1, 1]
    assert (tmp_path / "out.db").stat().st_mode & 0o077 == 0


def test_odd_values_come_back_and_are_usable_meanwhile(target: Studio, tmp_path: Path, source: Path) -> None:
    """NULLs, wrong types, huge numbers and unknown words are mended inside and restored outside."""
    with editing(source) as db:
        add(
            db,
            "boards",
            board_id="b1",
            board_name="",
            user_id=None,
            archived=None,
            is_public=1,
            deleted_at="2020",
            created_at=7,
        )
        add(
            db,
            "boards",
            board_id="b2",
            board_name="Füchse 🦊",
            board_visibility="secret",
            archived=2,
            cover_image_name="none.png",
        )
        add(db, "boards", board_id="b3", board_name="c", cover_image_name="a.png")
        add_image(db, "a.png", user_id=None, starred=None, is_intermediate="yes", has_workflow=2, width=2**40, metadata="")
        add_image(db, "b.png", user_id="", session_id="", width="wide", height=1.5, metadata=b"\x00\xff", deleted_at="x")
        add_image(db, "c.png", user_id="ghost", metadata='{"z": 1,  "ä": "\u2028"}', created_at="not a time")
        add(db, "board_images", board_id="b1", image_name="a.png", created_at="2020-01-01", deleted_at="2021", updated_at=3)
        add(
            db,
            "videos",
            video_name="a.png",
            video_origin="o",
            video_category="c",
            width=1,
            height=1,
            duration="long",
            fps=9e999,
        )
        add(db, "board_videos", board_id="b2", video_name="a.png", created_at="x", updated_at="y")
        add_item(db, "s1", item_id=2**62, user_id=None, status_sequence=None, status="odd", priority=-(2**50))
        add_item(db, "s2", item_id=5, retried_from_item_id="five", field_values="", workflow_call_depth=2**33)
    import_invokeai(source, target)
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)
    held = {row.name: row for row in _rows(target, sa.select(media).where(media.c.kind == "image"))}
    assert [held["a.png"].user_id, held["a.png"].starred, held["a.png"].is_intermediate] == ["system", False, True]
    assert [held["b.png"].width, held["b.png"].height] == [0, 1]
    assert {row.status for row in _rows(target, sa.select(queue_items))} == {"canceled", "pending"}


def test_rows_that_point_at_nothing_come_back(target: Studio, tmp_path: Path, source: Path) -> None:
    """What no foreign key of ours could hold is kept aside whole."""
    with editing(source) as db:
        add_image(db, "a.png")
        add(db, "boards", board_id="b1", board_name="one")
        add(db, "board_images", board_id="gone", image_name="a.png")
        add(db, "board_images", board_id="b1", image_name="gone.png")
        add(db, "board_videos", board_id="gone", video_name="gone.mp4")
        add(db, "shared_boards", board_id="gone", user_id="system", can_edit=1)
        add(db, "shared_boards", board_id="b1", user_id="ghost", can_edit=2)
        add(db, "client_state", user_id="ghost", key="k", value="v")
        add(db, "models", id="m1", config=_model("m1"))
        add(db, "models", id="m2", config=_model("m2"))
        add(db, "model_relationships", model_key_1="m1", model_key_2="m2")
        add(db, "model_relationships", model_key_1="m2", model_key_2="m1")
        add(db, "model_relationships", model_key_1="m1", model_key_2="m9")
        add(db, "image_subfolder_move_jobs", id=3, state="moving")
        paths = {"old_subfolder": "", "new_subfolder": "x", "state": "planned"}
        add(db, "image_subfolder_move_items", job_id=3, image_name="a.png", **paths)
        add(db, "image_subfolder_move_items", job_id=3, image_name="gone.png", **paths)
        add(db, "image_subfolder_move_items", job_id=4, image_name="a.png", **paths)
        add(db, "user_sessions", session_id="s", user_id="ghost", token_hash="t", expires_at="2030")
        add(db, "user_invitations", invitation_id="i", email="e", invited_by="system", invitation_code="c", expires_at=b"1")
    import_invokeai(source, target)
    assert not import_invokeai(source, target).changed
    report = export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)
    assert any("point at rows that are not there" in note for note in report.notes)


def test_rows_of_unknown_users_belong_to_hidden_owners(target: Studio, source: Path) -> None:
    """They are nobody's to log in as, and nobody else's."""
    with editing(source) as db:
        add_image(db, "a.png", user_id="ghost")
        add(db, "users", user_id="u1", email="Ana@example.com", password_hash="h1")
        add(db, "users", user_id="u2", email="ana@example.com", password_hash="h2", display_name="")
    assert import_invokeai(source, target).former_owners == 1
    held = {row.user_id: row for row in _rows(target, sa.select(users))}
    assert (held["ghost"].kind, held["ghost"].email, held["ghost"].is_active) == ("tombstone", None, False)
    assert [held[user].password_hash for user in ("u1", "u2")] == ["h1", "h2"]
    assert held["system"].kind == "system"


def test_tables_of_other_programs_come_back(target: Studio, tmp_path: Path, source: Path) -> None:
    """A table that is not InvokeAI's is kept with its definition; one that cannot be kept is named."""
    with editing(source) as db:
        db.execute("CREATE TABLE extra (n INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT, raw BLOB)")
        add(db, "extra", note="x", raw=b"\x00")
        db.execute("DELETE FROM extra")
        add(db, "extra", note="y", raw=None)
        db.execute("CREATE TABLE odd (k TEXT PRIMARY KEY) WITHOUT ROWID")
    report = import_invokeai(source, target)
    assert report.notes == ("The table odd is not InvokeAI's and was left out.",)
    export_invokeai(target, tmp_path / "out.db")
    expected = contents(source)
    del expected["odd"]
    assert contents(tmp_path / "out.db") == expected


def test_a_change_made_since_the_import_wins_over_what_was_mended(target: Studio, tmp_path: Path, source: Path) -> None:
    """Originals go back only where nobody has decided otherwise."""
    with editing(source) as db:
        add(db, "boards", board_id="b1", board_name="one", user_id=None, archived=None)
        add(db, "boards", board_id="b2", board_name="two", user_id=None, archived=None)
    import_invokeai(source, target)
    with target.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        run(work.ground.connection.execute(sa.update(boards).where(boards.c.board_id == "b1").values(archived=True)))
    export_invokeai(target, tmp_path / "out.db")
    with closing(sqlite3.connect(tmp_path / "out.db")) as out:
        assert out.execute("SELECT board_id, user_id, archived FROM boards ORDER BY 1").fetchall() == [
            ("b1", None, 1),
            ("b2", None, None),
        ]


def test_queue_numbers_are_never_given_twice(target: Studio, tmp_path: Path, source: Path) -> None:
    """Also not the number of an item that InvokeAI had deleted before."""
    with editing(source) as db:
        add_item(db, "s1", item_id=3)
        add_item(db, "s2", item_id=90)
        db.execute("DELETE FROM session_queue WHERE item_id = 90")
    import_invokeai(source, target)
    with target.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        run(work.queue.enqueue(Batch(graph={"nodes": {}, "edges": []})))
    assert [row.item_id for row in _rows(target, sa.select(queue_items).order_by(queue_items.c.item_id))] == [3, 91]
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db")["sqlite_sequence"] == [repr((b"text", b"session_queue", b"integer", 91))]


def test_items_keep_the_order_of_their_insertion(target: Studio, source: Path) -> None:
    """It decides ties of time, which InvokeAI's batches are full of."""
    with editing(source) as db:
        for name in ("z.png", "a.png", "m.png"):
            add_image(db, name, created_at="2026-01-01 00:00:00.000")
    import_invokeai(source, target)
    rows = _rows(target, sa.select(media.c.name).order_by(media.c.created_at, media.c.media_id))
    assert [row.name for row in rows] == ["z.png", "a.png", "m.png"]


def test_changes_that_are_not_merged_yet_are_imported_too(target: Studio, tmp_path: Path, source: Path) -> None:
    """A database in use has its newest rows beside the file; nothing of it is touched."""
    with closing(sqlite3.connect(source)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        add_image(db, "fresh.png")
        db.commit()
        before = _folder(tmp_path)
        assert f"{source.name}-wal" in before
        import_invokeai(source, target)
        assert _folder(tmp_path) == before
    assert [row.name for row in _rows(target, sa.select(media.c.name))] == ["fresh.png"]


def test_a_closed_database_in_wal_mode_is_read_without_a_trace(target: Studio, tmp_path: Path, source: Path) -> None:
    """SQLite would leave files beside it."""
    with closing(sqlite3.connect(source)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        add_image(db, "a.png")
        db.commit()
    before = _folder(tmp_path)
    import_invokeai(source, target)
    assert _folder(tmp_path) == before


def test_a_failure_in_the_middle_leaves_nothing(target: Studio, source: Path) -> None:
    """One transaction, or none."""
    with editing(source) as db:
        add_image(db, "a.png")
        add_item(db, "s1")

    def fail(table: str, done: int, total: int) -> None:
        if table == "session_queue" and done == total:
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        import_invokeai(source, target, progress=fail)
    assert _rows(target, sa.select(media)) == []
    assert _rows(target, sa.select(import_residue)) == []


def test_progress_tells_each_table_to_its_end(target: Studio, tmp_path: Path) -> None:
    """A bar can be drawn from it."""
    told: dict[str, tuple[int, int]] = {}

    def note(table: str, done: int, total: int) -> None:
        told[table] = (done, total)

    import_invokeai(EXAMPLE, target, progress=note)
    assert told["images"] == (39, 39)
    told.clear()
    export_invokeai(target, tmp_path / "out.db", progress=note)
    assert told["images"] == (39, 39)


def test_an_export_never_takes_a_files_place(target: Studio, tmp_path: Path) -> None:
    """Nor does a refused one leave anything behind."""
    taken = tmp_path / "out.db"
    taken.write_text("mine")
    before = _folder(tmp_path)
    with pytest.raises(Conflict) as caught:
        export_invokeai(target, taken)
    assert caught.value.field == "file"
    with pytest.raises(DatabaseUnavailable):
        export_invokeai(target, tmp_path / "nowhere" / "out.db")
    assert _folder(tmp_path) == before


def test_an_export_goes_where_its_name_says(target: Studio, tmp_path: Path) -> None:
    """Also with a question mark in it; and only its owner may read it, for it holds every secret."""
    folder = tmp_path / "exports"
    folder.mkdir()
    export_invokeai(target, folder / "what?mode=memory.db")
    assert [file.name for file in folder.iterdir()] == ["what?mode=memory.db"]
    exported = folder / "what?mode=memory.db"
    assert (exported.stat().st_size > 0, exported.stat().st_mode & 0o777) == (True, 0o600)


def test_a_database_that_is_not_there_is_not_made_by_an_export(tmp_path: Path) -> None:
    """A mistyped name would give an empty file."""
    with pytest.raises(DatabaseUnavailable):
        export_invokeai(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "out.db")
    assert list(tmp_path.iterdir()) == []


def _model(name: str) -> str:
    texts = {key: name for key in ("hash", "base", "type", "path", "format", "name", "source", "source_type")}
    fields = ", ".join(f'"{key}": "{value}"' for key, value in texts.items())
    return f'{{{fields}, "file_size": {2**40}, "description": null}}'


def _rows(studio: Studio, query: sa.Select[Any]) -> list[sa.Row[Any]]:
    with studio.direct.read(Principal.internal(InternalReason.OPERATE)) as work:
        return list(run(work.ground.connection.fetch_all(query)))


def _folder(path: Path) -> dict[str, tuple[int, int]]:
    """Names, sizes and times of the source's files, without the test's own database and SQLite's shared memory."""
    found = {entry.name: entry.stat() for entry in os.scandir(path)}
    return {
        name: (stat.st_size, stat.st_mtime_ns)
        for name, stat in found.items()
        if not name.startswith(("studio.db", "out.db")) and not name.endswith("-shm")
    }
