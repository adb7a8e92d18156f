"""The queue's rows on their way from the first schema to that of batches, and back."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, alembic
from tenantry.database import DatabaseURL
from tenantry.queue import Batch, BatchDatum, UnitOfWork, WorkflowCall
from tenantry.repositories.queue_counts import disagreements
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.migration.rows import insert, privileged, rows

THEN = "2026-11-23 12:00:00.000"
LATER = "2026-11-23 13:00:00.000"
DELETED = 40
"""The number of an item that was there once."""

INTERNAL = Principal.internal(InternalReason.OPERATE)
PROMPTS = '[{"node_path": "prompt", "field_name": "prompt", "value": "vixen"}]'
USERS = [{"user_id": name, "email": f"{name}@example.com", "created_at": THEN, "updated_at": THEN} for name in ("ana", "bo")]


def _item(item_id: int, batch_id: str, user_id: str = "ana", **more: object) -> dict[str, object]:
    return {
        "item_id": item_id,
        "user_id": user_id,
        "queue_id": "default",
        "batch_id": batch_id,
        "session_id": f"session-{item_id}",
        "status": "completed",
        "status_sequence": 2,
        "priority": 0,
        "origin": None,
        "destination": None,
        "device": "cuda:0",
        "created_at": THEN,
        "updated_at": LATER,
        "started_at": THEN,
        "completed_at": LATER,
        "error_type": None,
        "retried_from_item_id": None,
        "parent_item_id": None,
        "root_item_id": None,
        "field_values": PROMPTS,
        "workflow": '{"name":  "Foxes"}',
        "session": '{"id": "s",  "graph": {"id": "g", "nodes": {}, "edges": []}}',
    } | more


ITEMS = [
    _item(3, "foxes", created_at=LATER, priority=5, destination="canvas", origin="canvas"),
    _item(4, "foxes", status="pending", destination="canvas", origin="canvas"),
    _item(7, "foxes", "bo"),
    _item(8, "foxes", "bo", queue_id="other", started_at=LATER),
    _item(9, "foxes", queue_id="other", status="failed", error_type="ValueError"),
    _item(12, "owls", "bo", field_values=None, workflow=None, device=None),
    _item(20, "owls", "bo", status="waiting"),
    _item(21, "owls", "bo", parent_item_id=20, root_item_id=20, status="in_progress"),
    _item(22, "foxes#bo", retried_from_item_id=12),
]
OF_ITEM = [name for name in ITEMS[0] if name not in ("batch_id", "origin", "destination")]


@pytest.fixture
def filled(empty_database_url: DatabaseURL) -> DatabaseURL:
    """A database of the first schema with a queue in it."""
    alembic.upgrade(empty_database_url, "0001")
    insert(empty_database_url, "users", USERS)
    _insert_items(empty_database_url)
    return empty_database_url


def _insert_items(url: DatabaseURL) -> None:
    insert(url, "queue_items", [*ITEMS, _item(DELETED, "gone")])
    with privileged(url) as connection:
        connection.execute(sa.text("DELETE FROM queue_items WHERE item_id = :deleted"), {"deleted": DELETED})
        if url.dialect == "postgresql":
            connection.execute(sa.text("SELECT setval('queue_items_item_id_seq', :deleted)"), {"deleted": DELETED})
        connection.commit()


def test_items_become_batches_and_items(filled: DatabaseURL) -> None:
    """Every item keeps its number and documents to the byte; what it said of its batch stands there once."""
    alembic.upgrade(filled, "0002")
    batches = {row["batch_key"]: row for row in rows(filled, "batches")}
    assert {key: (row["batch_id"], row["user_id"], row["queue_id"], row["enqueued"]) for key, row in batches.items()} == {
        3: ("foxes", "ana", "default", 2),
        7: ("foxes#bo#default", "bo", "default", 1),
        8: ("foxes#bo#other", "bo", "other", 1),
        9: ("foxes#ana", "ana", "other", 1),
        12: ("owls", "bo", "default", 3),
        22: ("foxes#bo", "ana", "default", 1),
    }
    first = batches[3]
    assert (first["origin"], first["destination"], first["priority"], first["created_at"]) == ("canvas", "canvas", 5, THEN)
    assert {row["graph"] for row in batches.values()} == {None}
    items = rows(filled, "queue_items")
    assert [{name: item[name] for name in OF_ITEM} for item in items] == [
        {name: item[name] for name in OF_ITEM} for item in ITEMS
    ]
    assert [item["batch_key"] for item in items] == [3, 3, 7, 8, 9, 12, 12, 12, 22]
    assert sorted((row["queue_id"], row["user_id"], row["started_at"]) for row in rows(filled, "queue_turns")) == [
        ("*", "ana", THEN),
        ("*", "bo", LATER),
        ("default", "ana", THEN),
        ("default", "bo", THEN),
        ("other", "ana", THEN),
        ("other", "bo", LATER),
    ]


def test_the_upgraded_queue_works_and_goes_on_numbering(filled: DatabaseURL) -> None:
    """What is counted is what is there, everybody finds their own, and no number is given twice."""
    alembic.upgrade(filled)
    studio = connect(filled)
    assert studio.direct.reading(INTERNAL, lambda work: disagreements(work.ground.connection)) == []
    found = studio.direct.reading(Principal("bo"), lambda work: work.queue.get(7))
    assert found.item.batch_id == "foxes#bo#default"
    assert found.item.field_values == json.loads(PROMPTS)
    assert found.session == ITEMS[2]["session"]
    status = studio.direct.reading(Principal("ana"), lambda work: work.queue.status())
    assert (status.everybody.total, status.own.total) == (7, 3)
    batch = Batch(graph={"id": "g", "nodes": {}, "edges": []})
    assert min(studio.direct.writing(Principal("ana"), lambda work: work.queue.enqueue(batch)).item_ids) > DELETED
    studio.close()


def test_a_downgrade_gives_the_first_schema_its_rows_back(filled: DatabaseURL) -> None:
    """To the byte, and with the rules and the numbers of that schema; an upgrade after it finds them again."""
    before = rows(filled, "queue_items")
    renamed = {7: "foxes#bo#default", 8: "foxes#bo#other", 9: "foxes#ana"}
    alembic.upgrade(filled, "0002")
    upgraded = rows(filled, "queue_items")
    alembic.downgrade(filled, "0001")
    assert rows(filled, "queue_items") == [row | {"batch_id": renamed.get(row["item_id"], row["batch_id"])} for row in before]
    insert(filled, "queue_items", [{k: v for k, v in _item(0, "new").items() if k != "item_id"}])
    assert rows(filled, "queue_items")[-1]["item_id"] > DELETED
    alembic.upgrade(filled, "0002")
    assert rows(filled, "queue_items")[:-1] == upgraded


def test_templated_items_are_taken_down_whole(filled: DatabaseURL) -> None:
    """The first schema knows no templates: sessions, values and workflow are written out as they were read before."""
    alembic.upgrade(filled)
    studio = connect(filled)
    item_ids = studio.direct.writing(Principal("ana"), _enqueue)
    child = studio.direct.writing(INTERNAL, lambda work: work.dispatch.call(item_ids[0], CALL))
    before = [_shown(studio, item_id) for item_id in (*item_ids, child)]
    studio.close()
    alembic.downgrade(filled, "0001")
    stored = {row["item_id"]: row for row in rows(filled, "queue_items")}
    documents = ("batch_id", "origin", "session_id", "field_values", "workflow", "session")
    assert [[_parsed(stored[item_id][name]) for name in documents] for item_id in (*item_ids, child)] == before
    assert before[1][3] == [{"node_path": "prompt", "field_name": "prompt", "value": "vixen"}]
    assert before[1][5]["graph"]["nodes"]["prompt"] == {"id": "prompt", "type": "string", "prompt": "vixen"}
    alembic.upgrade(filled)
    studio = connect(filled)
    assert [_shown(studio, item_id) for item_id in (*item_ids, child)] == before
    assert studio.direct.reading(INTERNAL, lambda work: disagreements(work.ground.connection)) == []
    studio.close()


CALL = WorkflowCall(call_id="call", depth=1, session_id="child", session='{"id": "child"}')


async def _enqueue(work: UnitOfWork) -> tuple[int, ...]:
    graph = {"id": "g", "nodes": {"prompt": {"id": "prompt", "type": "string", "prompt": ""}}, "edges": []}
    data = [[BatchDatum(node_path="prompt", field_name="prompt", items=["fox", "vixen"])]]
    return (await work.queue.enqueue(Batch(graph=graph, data=data, workflow={"name": "W"}, origin="canvas"))).item_ids


def _shown(studio: Studio, item_id: int) -> list[Any]:
    """What the queue shows of an item."""
    found = studio.direct.reading(INTERNAL, lambda work: work.queue.get(item_id))
    item = found.item
    return [item.batch_id, item.origin, item.session_id, item.field_values, _parsed(found.workflow), _parsed(found.session)]


def _parsed(text: object) -> object:
    return json.loads(text) if isinstance(text, str) and text[:1] in "[{" else text
