"""Claims: a worker takes the items that come next, and holds them under its lease."""

from collections.abc import Mapping, Sequence
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
from tenantry.queue.sessions import Template
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
        keys = {row.template_key for row in found} - {None}
        templates = {key: template_of(found[0]) for key in keys} if single else await self._templates(keys)
        items = {item.item_id: item for item in (_claimed_item(row, templates) for row in found)}
        return [items[item_id] for item_id in item_ids]


def _claimed_item(row: Row[Any], templates: Mapping[int, Template | None]) -> ClaimedItem:
    item_id, worker_id, attempt, template_key, _, _, *fields = tuple(row)
    return ClaimedItem(Lease(item_id, worker_id, attempt), templates.get(template_key), *fields)


@cache
def _claimed(dialect: Dialect, with_graph: bool) -> Select[Any]:
    """What workers get, in the order of a `ClaimedItem`."""
    items, of_batch = queue_items.c, batches.c
    graph = (of_batch.graph, of_batch.fields) if with_graph else (sa.null(), sa.null())
    query = sa.select(
        *(items.item_id, items.worker_id, items.attempt),
        # The child of a workflow call is in its caller's batch and has nothing of its template.
        sa.case((items.field_values.is_not(None), items.batch_key)).label("template_key"),
        *graph,
        *(items.queue_id, items.user_id, users.c.display_name, users.c.email),
        *(of_batch.batch_id, of_batch.origin, of_batch.destination, of_batch.board_id),
        *(items.priority, items.status_sequence, items.claim_number, items.device, items.created_at, items.started_at),
        *(items.retried_from_item_id, items.parent_item_id, items.root_item_id),
        sa.func.coalesce(items.workflow, sa.case((items.parent_item_id.is_(None), of_batch.workflow))),
        *(items.field_values, items.session, items.session_id, of_batch.session_base),
    ).select_from(
        queue_items.join(batches, of_batch.batch_key == items.batch_key).join(users, users.c.user_id == items.user_id)
    )
    return query.where(among_bound(dialect, items.item_id, "item_ids"))
