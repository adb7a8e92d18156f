"""Calls of other workflows: the caller waits, a child item runs what was called, and the caller goes on."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from tenantry.database import Dialect
from tenantry.database.tables import batches, queue_items
from tenantry.errors import IllegalTransition, NotFound
from tenantry.queue.admission import Admission
from tenantry.queue.chains import Chains, link_of, links, root_of
from tenantry.queue.changes import ItemChanged
from tenantry.queue.sessions import session_id_of
from tenantry.queue.states import FINAL, Status
from tenantry.queue.transitions import Move
from tenantry.repositories.checks import check_json, check_name
from tenantry.repositories.queue_counts import Counted, add_to_counts

__all__ = ["Calls", "WorkflowCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCall:
    """A call of another workflow: the child's session document, and the call's id and depth as InvokeAI counts them."""

    call_id: str
    depth: int
    session_id: str
    session: str


class Calls(Admission, Chains):
    """What a worker does whose item calls another workflow; tenants get `NotAllowed`."""

    __slots__ = ()

    async def call(self, parent_item_id: int, call: WorkflowCall) -> int:
        """Queue the child of a call; answers its item id. It takes the parent's queue, batch, priority and owner.

        Raises `NotFound`, `IllegalTransition` for a parent that has ended, `QueueFull`, and `InvalidInput` for no session.
        """
        self._only_privileged("queue the children of workflow calls")
        check_json(call.session, "session")
        check_name(call.session_id, "session_id")
        parent = await self._connection.fetch_one(_parent(self._dialect).where(queue_items.c.item_id == parent_item_id))
        if parent is None:
            raise NotFound("queue item", field="item_id")
        if Status(parent.status) in FINAL:
            raise IllegalTransition(parent.status, Status.WAITING)
        await self._room_for(parent.queue_id, 1)
        now = self._now()
        add = sa.insert(queue_items).values(
            user_id=parent.user_id,
            queue_id=parent.queue_id,
            batch_key=parent.batch_key,
            session_id=call.session_id,
            priority=parent.priority,
            workflow_call_id=check_name(call.call_id, "workflow_call_id"),
            workflow_call_depth=call.depth,
            parent_item_id=parent_item_id,
            parent_session_id=parent.session_id or session_id_of(parent.session_base, parent_item_id),
            root_item_id=parent.root_item_id or parent_item_id,
            created_at=now,
            updated_at=now,
            field_values=None,
            session=call.session,
        )
        item_id: int = await self._connection.fetch_value(add.returning(queue_items.c.item_id))
        await add_to_counts(self._connection, {Counted(parent.queue_id, parent.user_id, parent.destination, Status.PENDING): 1})
        self._record(ItemChanged(parent.user_id, parent.queue_id, item_id, parent.batch_key, None, Status.PENDING, 0))
        return item_id

    async def resume(self, item_id: int, *, session: str | None = None) -> None:
        """What the item called has returned; it waits for a worker again. Raises `NotFound` and `IllegalTransition`."""
        self._only_privileged("resume items of the queue")
        if not await self._move(Status.WAITING, Status.PENDING, [Move(item_id, session=session)]):
            raise IllegalTransition((await self._link(item_id)).status, Status.PENDING)

    async def cancel_children(self, call_id: str, *, except_item: int | None = None) -> list[int]:
        """Cancel the children of a call and all that they called; answers those that had not ended."""
        self._only_privileged("cancel the children of workflow calls")
        found = await self._connection.fetch_all(links().where(queue_items.c.workflow_call_id == call_id))
        children = [link_of(row) for row in found if row.item_id != except_item]
        tree = [link for child in children for link in await self._descendants(child.item_id, of_root=root_of(child))]
        unique = {link.item_id: link for link in (*children, *tree) if link.item_id != except_item}
        async with self._counting_once():
            return await self._cancel(unique.values())


def _parent(dialect: Dialect) -> Select[Any]:
    """What a child takes from its parent, which cannot end meanwhile; on SQLite nobody else writes."""
    items = queue_items.c
    columns: list[sa.ColumnElement[Any]] = [
        *(items[name] for name in ("user_id", "queue_id", "batch_key", "session_id", "status", "priority", "root_item_id")),
        batches.c.session_base,
        batches.c.destination,
    ]
    query = sa.select(*columns).select_from(queue_items.join(batches, batches.c.batch_key == items.batch_key))
    return query.with_for_update(of=queue_items) if dialect == "postgresql" else query
