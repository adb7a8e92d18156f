"""Everybody sees how the queue goes, and only their own content."""

from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import InternalReason, Principal
from tenantry.database.tables import queue_items
from tenantry.errors import InvalidCursor, NotFound
from tenantry.repositories import UnitOfWork
from tenantry.tenancy.redaction import PUBLIC_QUEUE_COLUMNS
from tests.integration.conftest import Mode, People

NOW = "2026-11-23 12:00:00.000"


async def put(mode: Mode, owner: str, count: int, **fields: Any) -> None:
    """Items as an import brings them."""

    async def operation(work: UnitOfWork) -> None:
        for _ in range(count):
            values = {"queue_id": "default", "batch_id": "b", "session": "{}", "workflow": '{"w": 1}', **fields}
            insert = sa.insert(queue_items).values(
                user_id=owner, session_id=work.ground.ids(), created_at=NOW, updated_at=NOW, **values
            )
            await work.ground.connection.execute(insert)

    await mode.write(Principal.internal(InternalReason.IMPORT), operation)


async def test_others_items_show_their_place_and_status_alone(mode: Mode, people: People) -> None:
    """The owner and an administrator get everything; a stranger gets nothing that tells whose it is or what it makes."""
    await put(mode, "ana", 1, destination="canvas", origin="o", priority=7, error_message="secret", status="failed")
    seen = (await mode.read(people.bo, lambda work: work.queue_items.slice())).items[0]
    assert (seen.status, seen.is_redacted) == ("failed", True)
    kept = {name for name in seen.__slots__ if getattr(seen, name) is not None}
    assert kept <= PUBLIC_QUEUE_COLUMNS | {"is_redacted"}
    for who in (people.ana, people.root):
        item = (await mode.read(who, lambda work: work.queue_items.slice())).items[0]
        assert (item.user_id, item.priority, item.error_message, item.is_redacted) == ("ana", 7, "secret", False)
        assert (await mode.read(who, lambda work: work.queue_items.get(item.item_id))).workflow == '{"w": 1}'  # noqa: B023
    detail = await mode.read(people.bo, lambda work: work.queue_items.get(seen.item_id))
    assert (detail.workflow, detail.session, detail.field_values, detail.user_id) == (None, None, None, None)


async def test_a_filter_by_destination_tells_nothing_of_others(mode: Mode, people: People) -> None:
    """A stranger cannot find out where an item goes by asking for each destination."""
    await put(mode, "ana", 1, destination="canvas")
    assert (await mode.read(people.bo, lambda work: work.queue_items.slice(destination="canvas"))).items == []
    assert len((await mode.read(people.ana, lambda work: work.queue_items.slice(destination="canvas"))).items) == 1


async def test_the_queue_is_walked_from_the_newest(mode: Mode, people: People) -> None:
    """Each item comes once; counts are everybody's; a cursor fits its list only."""
    await put(mode, "ana", 3)
    await put(mode, "bo", 2, status="completed")
    first = await mode.read(people.cy, lambda work: work.queue_items.slice(limit=3))
    rest = await mode.read(people.cy, lambda work: work.queue_items.slice(limit=3, cursor=first.next_cursor))
    assert [item.item_id for item in [*first.items, *rest.items]] == [5, 4, 3, 2, 1]
    assert rest.next_cursor is None
    assert await mode.read(people.cy, lambda work: work.queue_items.counts()) == {"pending": 3, "completed": 2}
    with pytest.raises(InvalidCursor):
        await mode.read(people.cy, lambda work: work.queue_items.slice(status="pending", cursor=first.next_cursor))
    with pytest.raises(NotFound):
        await mode.read(people.cy, lambda work: work.queue_items.get(99))
