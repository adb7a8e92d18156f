"""Claims: a worker takes the items that come next, and holds them under its lease."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.database import Dialect
from tenantry.database.tables import batches, queue_items, users
from tenantry.errors import InvalidInput
from tenantry.queue.base import ALL_QUEUES, check_queue_id
from tenantry.queue.candidates import Candidates, ResidentModels, template_of
from tenantry.queue.fairness import Order
from tenantry.queue.items import ClaimedItem, Lease
from tenantry.queue.scheduling import Served
from tenantry.queue.sessions import Template, session_id_of
from tenantry.queue.states import Status
from tenantry.queue.transitions import Move, Transitions
from tenantry.repositories.base import among_bound, bound

__all__ = ["MAX_SLOTS", "Claims"]

MAX_SLOTS = 5_000
"""Items of one claim at most."""


class Claims(Candidates, Transitions):
    """What workers do with the queue; for administrators and Tenantry itself, tenants get `NotAllowed`."""

    __slots__ = ()

    async def claim(
        self,
        worker_id: str,
        *,
        devices: Sequence[str | None] = (None,),
        queue_id: str | None = None,
        order: Order = Order.FAIR,
        resident_models: ResidentModels | None = None,
    ) -> list[ClaimedItem]:
        """Claim an item for each of `devices` (a worker's free slots), from one queue or from all; fewer where fewer wait.

        They come in the order, and with the numbers, that as many single claims would have given. With `resident_models`, an
        item of the same user and priority nearby is taken instead of the next one, if more of its models are on the device
        (contract, section 4.9: device affinity).
        It comes first in its unit of work: after changes of items it could wait for somebody who waits for them.
        Raises `NotFound` for an unknown worker and `LeaseLost` for one whose lease has expired.
        """
        self._only_privileged("claim items of the queue")
        if not 0 < len(devices) <= MAX_SLOTS:
            raise InvalidInput(f"A claim is for 1 to {MAX_SLOTS} slots.", field="devices")
        domain = ALL_QUEUES if queue_id is None else check_queue_id(queue_id)
        await self._lock()
        if resident_models is None or order is Order.FIFO or not any(devices):
            return await self._claim(worker_id, devices, domain, order, None)
        claimed: list[ClaimedItem] = []
        for device in devices:
            # Each swap changes what comes next, so they are made one by one.
            claimed += await self._claim(worker_id, [device], domain, order, resident_models)
        return claimed

    async def is_work_waiting(self, queue_id: str | None = None) -> bool:
        """Whether a claim may find something; asks without taking any lock."""
        self._only_privileged("look for work")
        return bool(await self._waiting(queue_id, Order.FAIR, first=True))

    async def _claim(
        self,
        worker_id: str,
        devices: Sequence[str | None],
        domain: str,
        order: Order,
        resident_models: ResidentModels | None,
    ) -> list[ClaimedItem]:
        waiting = await self._next_users(worker_id, domain, order, len(devices))
        if not waiting:
            return []
        chosen = await self._choose(waiting, len(devices), order)
        if resident_models is not None and devices[0] is not None and chosen and chosen[0].put_first is None:
            chosen = [await self._warmest(chosen[0], resident_models(devices[0]), waiting)]
        if not chosen:
            return []
        first_number = waiting[0].all_claims + 1
        moves = [
            Move(each.item_id, worker_id=worker_id, claim_number=first_number + place, device=devices[place])
            for place, each in enumerate(chosen)
        ]
        moved = {item.item_id: item for item in await self._move(Status.PENDING, Status.IN_PROGRESS, moves)}
        strides = {each.user_id: each.stride for each in waiting}
        served: dict[tuple[str, str], Served] = {}
        for place, each in enumerate(chosen):
            if each.item_id in moved:
                before = served.get((each.queue_id, each.user_id), Served(0, 0, 0))
                served[each.queue_id, each.user_id] = Served(before.items + 1, first_number + place, strides[each.user_id])
        await self._serve(waiting[0].all_claims + len(chosen), served)
        return await self._read_claimed([move.item_id for move in moves if move.item_id in moved])

    async def _read_claimed(self, item_ids: Sequence[int]) -> list[ClaimedItem]:
        # The graph of one item comes with it; those of many are read once a batch.
        single = len(item_ids) == 1
        found = await self._connection.fetch_all(_claimed(self._dialect, single), bound(self._dialect, "item_ids", item_ids))
        rows = {row.item_id: row for row in found}
        if single:
            templates = {row.batch_key: template_of(row) for row in found}
        else:
            templates = await self._templates({row.batch_key for row in found})
        return [_claimed_item(rows[item_id], templates.get(rows[item_id].batch_key)) for item_id in item_ids]


def _claimed_item(row: Row[Any], template: Template | None) -> ClaimedItem:
    return ClaimedItem(
        lease=Lease(row.item_id, row.worker_id, row.attempt),
        queue_id=row.queue_id,
        user_id=row.user_id,
        user_display_name=row.display_name,
        user_email=row.email,
        batch_id=row.batch_id,
        session_id=row.session_id or session_id_of(row.session_base, row.item_id),
        origin=row.origin,
        destination=row.destination,
        board_id=row.board_id,
        priority=row.priority,
        status_sequence=row.status_sequence,
        claim_number=row.claim_number,
        device=row.device,
        created_at=row.created_at,
        started_at=row.started_at,
        retried_from_item_id=row.retried_from_item_id,
        parent_item_id=row.parent_item_id,
        root_item_id=row.root_item_id,
        workflow=row.workflow,
        stored_field_values=row.field_values,
        stored_session=row.session,
        # The child of a workflow call is in its caller's batch and has nothing of its template.
        template=None if row.field_values is None else template,
    )


@cache
def _claimed(dialect: Dialect, with_graph: bool) -> Select[Any]:
    items = queue_items.c
    names = (
        *("item_id", "queue_id", "user_id", "batch_key", "session_id", "priority", "status_sequence", "claim_number"),
        *("worker_id", "attempt", "device", "created_at", "started_at", "retried_from_item_id", "parent_item_id"),
        *("root_item_id", "field_values", "session"),
    )
    own_workflow = sa.case((items.parent_item_id.is_(None), batches.c.workflow))
    graph = (batches.c.graph, batches.c.fields) if with_graph else ()
    query = sa.select(
        *(items[name] for name in names),
        *(batches.c[name] for name in ("batch_id", "session_base", "origin", "destination", "board_id")),
        *graph,
        sa.func.coalesce(items.workflow, own_workflow).label("workflow"),
        users.c.display_name,
        users.c.email,
    ).select_from(
        queue_items.join(batches, batches.c.batch_key == items.batch_key).join(users, users.c.user_id == items.user_id)
    )
    return query.where(among_bound(dialect, items.item_id, "item_ids"))
