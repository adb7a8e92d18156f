"""The queue on its way from and to InvokeAI, which repeats in each item what a batch says here, and keeps whole sessions."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, run
from tenantry.database import DatabaseURL
from tenantry.database.tables import batches, queue_items
from tenantry.errors import ImportRefused
from tenantry.invokeai.exporter import export_invokeai
from tenantry.invokeai.importer import import_invokeai
from tenantry.queue import Batch, BatchDatum, Order, UnitOfWork, WorkflowCall
from tenantry.repositories.queue_counts import disagreements
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.invokeai_files import add, add_item, contents, editing, new_source

INTERNAL = Principal.internal(InternalReason.OPERATE)
GRAPH = {
    "id": "g",
    "nodes": {
        "noise": {"id": "noise", "type": "noise", "seed": 0, "width": 64, "height": 64, "is_intermediate": True},
        "prompt": {"id": "prompt", "type": "string", "value": "", "is_intermediate": True},
    },
    "edges": [],
}
BATCH = Batch(
    graph=GRAPH,
    data=[
        [
            BatchDatum(node_path="prompt", field_name="value", items=["fox", "Füchsin"]),
            BatchDatum(node_path="noise", field_name="seed", items=[1, 2]),
        ]
    ],
    runs=2,
    workflow={"name": "Foxes", "nodes": []},
    origin="workflows",
    destination="gallery",
)


@pytest.fixture
def target(database_url: DatabaseURL) -> Iterator[Studio]:
    """A studio without rows, on each database."""
    studio = connect(database_url)
    yield studio
    studio.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A made-up InvokeAI database with two users."""
    path = new_source(tmp_path / "invokeai.db")
    with editing(path) as db:
        for name in ("ana", "bo"):
            add(db, "users", user_id=name, email=f"{name}@example.com", password_hash="")
    return path


def test_items_of_a_batch_find_each_other_again(target: Studio, source: Path) -> None:
    """Each batch is there once, with its owner; the queue is counted and everybody sees how it goes."""
    with editing(source) as db:
        for number in range(1, 4):
            add_item(
                db, f"a{number}", batch_id="foxes", user_id="ana", destination="canvas", priority=3, created_at=f"{number}"
            )
        db.execute("UPDATE session_queue SET created_at = '9' WHERE item_id = 1")
        add_item(db, "b1", batch_id="owls", user_id="bo", queue_id="other", status="completed", workflow='{"name": "W"}')
    import_invokeai(source, target)
    assert [(row.batch_id, row.user_id, row.queue_id, row.destination, row.priority) for row in _batches(target)] == [
        ("foxes", "ana", "default", "canvas", 3),
        ("owls", "bo", "other", None, 0),
    ]
    foxes = _batches(target)[0]
    assert (foxes.requested, foxes.enqueued, foxes.created_at, foxes.graph) == (3, 3, "2", None)
    assert _direct(target, disagreements_of) == []
    status = _direct(target, lambda work: work.queue.status(), Principal("ana"))
    assert (status.everybody.pending, status.own.pending) == (3, 3)
    shown = _direct(target, lambda work: work.queue.get(4), Principal("bo"))
    assert (shown.item.batch_id, shown.item.session_id, shown.session, shown.workflow) == ("owls", "b1", "{}", '{"name": "W"}')


def test_a_batch_id_of_several_users_and_queues_comes_back_as_it_was(target: Studio, tmp_path: Path, source: Path) -> None:
    """Inside each has a batch of its own, named after whose it is; an item's own word on it is kept aside."""
    with editing(source) as db:
        add_item(db, "s1", batch_id="foxes", user_id="ana", origin="canvas")
        add_item(db, "s2", batch_id="foxes", user_id="bo")
        add_item(db, "s3", batch_id="foxes", user_id="bo", queue_id="other")
        add_item(db, "s4", batch_id="foxes#bo", user_id="bo", destination=7)
        add_item(db, "s5", batch_id="foxes", user_id="ana", origin=None, destination="gallery")
        add_item(db, "s6", batch_id="foxes", user_id="ghost", field_values="")
        add_item(db, "s7", batch_id=b"\xff", user_id=None)
    import_invokeai(source, target)
    assert [row.batch_id for row in _batches(target)] == [
        "foxes",
        "foxes#bo",
        "foxes#bo#other",
        "foxes#bo#bo",
        "foxes#ghost",
        "\N{REPLACEMENT CHARACTER}",
    ]
    assert [row.batch_key for row in _rows(target, sa.select(queue_items).order_by(queue_items.c.item_id))][4] == (
        _batches(target)[0].batch_key
    )
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)
    before = _rows(target, sa.select(batches))
    assert not import_invokeai(source, target).changed
    assert _rows(target, sa.select(batches)) == before


def test_new_items_join_the_batch_that_an_import_has_brought(target: Studio, tmp_path: Path, source: Path) -> None:
    """A studio that went on with its work is imported once more."""
    with editing(source) as db:
        add_item(db, "s1", batch_id="foxes", user_id="ana")
    import_invokeai(source, target)
    with editing(source) as db:
        add_item(db, "s2", batch_id="foxes", user_id="ana", destination="canvas")
    import_invokeai(source, target)
    assert [row.batch_id for row in _batches(target)] == ["foxes"]
    assert _direct(target, disagreements_of) == []
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)


@pytest.mark.parametrize("change", ["batch_id = 'owls'", "origin = 'canvas'", "destination = NULL"])
def test_an_item_that_changed_its_batch_is_refused(target: Studio, source: Path, change: str) -> None:
    """As any row that is another one than the database has, also where a difference was kept aside."""
    with editing(source) as db:
        add_item(db, "s1", batch_id="foxes", user_id="bo")
        add_item(db, "s2", batch_id="foxes", user_id="ana", destination="canvas")
        add_item(db, "s3", batch_id="foxes", user_id="ana", destination="gallery")
    import_invokeai(source, target)
    with editing(source) as db:
        db.execute(f"UPDATE session_queue SET {change} WHERE session_id = 's3'")
    with pytest.raises(ImportRefused, match="queue_items"):
        import_invokeai(source, target)


def test_a_given_away_queue_is_still_the_files(target: Studio, source: Path) -> None:
    """What the system user left was given to somebody, and a second import finds it there."""
    with editing(source) as db:
        add_item(db, "s1", batch_id="foxes")
    import_invokeai(source, target, assign_legacy="ana@example.com")
    assert [row.user_id for row in _batches(target)] == ["ana"]
    assert not import_invokeai(source, target).changed
    assert _direct(target, disagreements_of) == []


def test_items_of_a_template_go_out_whole(target: Studio, tmp_path: Path, source: Path) -> None:
    """Sessions, values and workflows stand in every row, as InvokeAI has them; what was run keeps its own session."""
    import_invokeai(source, target)
    item_ids = _direct(target, _fill)
    export_invokeai(target, tmp_path / "out.db")
    rows = _exported(tmp_path / "out.db")
    assert [row["item_id"] for row in rows] == list(item_ids)
    assert [row["status"] for row in rows] == ["completed", "failed", "in_progress", "pending", "pending"]
    assert {(row["origin"], row["destination"], row["user_id"]) for row in rows} == {("workflows", "gallery", "ana")}
    assert len({row["batch_id"] for row in rows}) == 1
    done, failed, running, waiting, child = rows
    assert done["session"] == '{"id": "done"}'
    assert (failed["error_type"], failed["error_message"]) == ("ValueError", "no fox")
    assert [json.loads(row["workflow"])["name"] for row in rows[:4]] == ["Foxes"] * 4
    assert (child["workflow"], child["field_values"], child["session"]) == (None, None, '{"id": "child"}')
    assert (child["parent_item_id"], child["parent_session_id"]) == (running["item_id"], running["session_id"])
    assert json.loads(waiting["field_values"]) == [
        {"node_path": "prompt", "field_name": "value", "value": "Füchsin"},
        {"node_path": "noise", "field_name": "seed", "value": 2},
    ]
    session = json.loads(waiting["session"])
    assert (session["id"], session["executed"], session["errors"]) == (waiting["session_id"], [], {})
    assert session["graph"]["nodes"]["prompt"]["value"] == "Füchsin"
    assert session["graph"]["nodes"]["noise"]["seed"] == 2


def test_what_went_out_comes_in_elsewhere(target: Studio, tmp_path: Path, sqlite_url: DatabaseURL, source: Path) -> None:
    """And is shown there as it was shown here."""
    import_invokeai(source, target)
    item_ids = _direct(target, _fill)
    export_invokeai(target, tmp_path / "out.db")
    other = connect(f"sqlite:///{tmp_path / 'other.db'}")
    import_invokeai(tmp_path / "out.db", other)
    for item_id in item_ids:
        here = _direct(target, lambda work, item_id=item_id: work.queue.get(item_id))
        there = _direct(other, lambda work, item_id=item_id: work.queue.get(item_id))
        assert (there.session, there.workflow) == (here.session, here.workflow)
        for name in ("batch_id", "session_id", "status", "field_values", "origin", "error_message", "started_at"):
            assert getattr(there.item, name) == getattr(here.item, name)
    export_invokeai(other, tmp_path / "again.db")
    other.close()
    assert contents(tmp_path / "again.db")["session_queue"] == contents(tmp_path / "out.db")["session_queue"]


def test_what_went_out_comes_in_again_without_a_change(target: Studio, tmp_path: Path, source: Path) -> None:
    """The items of a template are found in it; once one has changed since, the file is refused and says which."""
    import_invokeai(source, target)
    item_ids = _direct(target, _fill)
    export_invokeai(target, tmp_path / "out.db")
    before = [_rows(target, sa.select(table)) for table in (batches, queue_items)]
    again = import_invokeai(tmp_path / "out.db", target)
    assert not again.changed
    assert {table.table: table.unchanged for table in again.tables}["session_queue"] == len(item_ids)
    assert [_rows(target, sa.select(table)) for table in (batches, queue_items)] == before
    assert _direct(target, disagreements_of) == []
    _direct(target, lambda work: work.queue.cancel(item_ids[3]))
    with pytest.raises(ImportRefused, match=f"The row {item_ids[3]} of queue_items .*has changed since"):
        import_invokeai(tmp_path / "out.db", target)


@pytest.mark.parametrize("change", ["session = '{}'", "field_values = '[]'", "workflow = NULL", "session_id = 'other'"])
def test_an_item_of_a_template_that_the_file_changed_is_refused(
    target: Studio, tmp_path: Path, source: Path, change: str
) -> None:
    """What is built of the template is compared as well."""
    import_invokeai(source, target)
    item_ids = _direct(target, _fill)
    export_invokeai(target, tmp_path / "out.db")
    with editing(tmp_path / "out.db") as db:
        db.execute(f"UPDATE session_queue SET {change} WHERE item_id = ?", (item_ids[3],))
    with pytest.raises(ImportRefused, match=f"The row {item_ids[3]} of queue_items"):
        import_invokeai(tmp_path / "out.db", target)


async def _fill(work: UnitOfWork) -> tuple[int, ...]:
    """Four items of a batch of Ana's: done with a session of its own, failed, running, waiting; and a child of the third."""
    await work.ground.connection.act_as(Principal("ana").identity)
    ana = UnitOfWork(work.ground.connection, Principal("ana"), work.ground.clock, work.ground.ids)
    item_ids = (await ana.queue.enqueue(BATCH)).item_ids
    await work.ground.connection.act_as(INTERNAL.identity)
    worker = await work.workers.register("w", host="h", process=1)
    done, failed, running = await work.dispatch.claim(worker, devices=("cuda:0", None, None))
    await work.dispatch.complete(done.lease, session='{"id": "done"}')
    await work.dispatch.fail(failed.lease, "ValueError", "no fox")
    call = WorkflowCall(call_id="call", depth=1, session_id="child", session='{"id": "child"}')
    return (*item_ids, await work.dispatch.call(running.item_id, call))


async def disagreements_of(work: UnitOfWork) -> list[Any]:
    """Where counts and items differ."""
    return list(await disagreements(work.ground.connection))


def _direct(studio: Studio, operation: Any, who: Principal = INTERNAL) -> Any:
    return studio.direct.writing(who, operation)


def _rows(studio: Studio, query: sa.Select[Any]) -> list[sa.Row[Any]]:
    with studio.direct.read(INTERNAL) as work:
        return list(run(work.ground.connection.fetch_all(query)))


def _batches(studio: Studio) -> list[sa.Row[Any]]:
    return _rows(studio, sa.select(batches).order_by(batches.c.batch_key))


def _exported(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM session_queue ORDER BY item_id")]


@pytest.mark.parametrize("broken", ["", "5", "[5]", "{}", "nonsense"])
def test_what_is_broken_in_the_file_stops_nobody(target: Studio, tmp_path: Path, source: Path, broken: str) -> None:
    """The queue is shown, given out and retried without it, and an export writes it as it was."""
    with editing(source) as db:
        add_item(db, "s1", item_id=1, user_id="ana", field_values=broken, session=broken, status="failed")
        add_item(db, "s2", item_id=2, user_id="ana", field_values=broken, session=broken)
    import_invokeai(source, target)
    export_invokeai(target, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)
    ana = Principal("ana")
    assert [item.field_values for item in _direct(target, lambda work: work.queue.slice(), ana).items] == [None, None]
    assert _direct(target, lambda work: work.queue.get(1), ana).session == broken
    worker = _direct(target, lambda work: work.workers.register("w", host="h", process=1))
    (claimed,) = _direct(target, lambda work: work.dispatch.claim(worker))
    assert (claimed.field_values, claimed.graph, claimed.session) == ([], {}, broken)
    again = _direct(target, lambda work: work.queue.retry([1]), ana)
    assert json.loads(_direct(target, lambda work: work.queue.get(again[1]), ana).session)["graph"] == {}


def test_turns_go_on_where_invokeai_left_off(target: Studio, source: Path) -> None:
    """Whose item was started longest ago comes next, in the file as here (contract, section 4.9)."""
    with editing(source) as db:
        for user, started_at in (("ana", "2026-11-23 12:00:02.000"), ("bo", "2026-11-23 12:00:01.000")):
            add_item(db, f"{user}-old", batch_id=user, user_id=user, status="completed", started_at=started_at)
            add_item(db, f"{user}-new", batch_id=user, user_id=user)
    import_invokeai(source, target)
    worker = _direct(target, lambda work: work.workers.register("w", host="h", process=1))
    claimed = _direct(target, lambda work: work.dispatch.claim(worker, devices=(None, None), order=Order.ROUND_ROBIN))
    assert [item.user_id for item in claimed] == ["bo", "ana"]
