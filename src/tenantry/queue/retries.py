"""Retries: what failed or was canceled is queued again, from the root of its call tree, as a new item."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from tenantry.database.tables import batches, queue_items
from tenantry.errors import NotAllowed
from tenantry.queue.admission import Admission
from tenantry.queue.base import DEFAULT_QUEUE
from tenantry.queue.changes import ItemsRetried
from tenantry.queue.conditions import has_status
from tenantry.queue.sessions import brought_graph, fresh_session
from tenantry.queue.states import Status
from tenantry.repositories.base import among
from tenantry.repositories.queue_counts import Counted, add_to_counts
from tenantry.tenancy import InternalReason

__all__ = ["Retries"]

_RETRIED = (Status.FAILED, Status.CANCELED)


class Retries(Admission):
    """Queues items again."""

    __slots__ = ()

    async def retry(self, item_ids: Sequence[int], queue_id: str = DEFAULT_QUEUE, *, partly: bool = False) -> dict[int, int]:
        """Queue items again that failed or were canceled; answers for each root that was retried its new item.

        An item of a call tree stands for the tree's root. Items that are unknown, in another queue, or in another state are
        passed by, and so is a root that was named before. `partly`: as many as the queue has room for, as InvokeAI does.
        Raises `NotAllowed` for others' items, `QueueFull` and `LimitReached`; nothing is retried then.
        """
        async with self._ground.elevated(InternalReason.KEEP_QUEUE):
            named = [each for each in await self._named(item_ids) if each.queue_id == queue_id]
            if not self._everything and any(each.user_id != self._me for each in named):
                raise NotAllowed("You may retry only your own items.")
            ended = {each.item_id: each.root_item_id or each.item_id for each in named if each.status in _RETRIED}
            wanted = list(dict.fromkeys(ended[item_id] for item_id in item_ids if item_id in ended))
            rows = {row.item_id: row for row in await self._roots(wanted)}
            roots = [rows[root] for root in wanted if root in rows]
            admitted = await self._admit_all(queue_id, roots, partly=partly)
            new_ids = {row.item_id: await self._again(row) for row in admitted}
        by_owner: dict[str, list[int]] = {}
        for row in admitted:
            by_owner.setdefault(row.user_id, []).append(row.item_id)
        for user_id, roots_of_user in sorted(by_owner.items()):
            made = tuple(new_ids[root] for root in roots_of_user)
            self._record(ItemsRetried(user_id, queue_id, tuple(roots_of_user), made))
        return new_ids

    async def _named(self, item_ids: Sequence[int]) -> list[Row[Any]]:
        items = queue_items.c
        query = sa.select(items.item_id, items.root_item_id, items.user_id, items.queue_id, items.status)
        found = await self._connection.fetch_all(query.where(among(self._dialect, items.item_id, list(item_ids))))
        return list(found)

    async def _roots(self, item_ids: Sequence[int]) -> list[Row[Any]]:
        items = queue_items.c
        columns = [
            *(items[name] for name in ("item_id", "user_id", "queue_id", "batch_key", "priority", "retried_from_item_id")),
            *(items[name] for name in ("field_values", "workflow", "session")),
            batches.c.destination,
            batches.c.graph.is_not(None).label("has_graph"),
        ]
        query = sa.select(*columns).join(batches, batches.c.batch_key == items.batch_key)
        ended = has_status(items, *_RETRIED)
        found = await self._connection.fetch_all(query.where(among(self._dialect, items.item_id, list(item_ids)), ended))
        return list(found)

    async def _admit_all(self, queue_id: str, roots: Sequence[Row[Any]], *, partly: bool) -> Sequence[Row[Any]]:
        """The first of the roots that there is room for, each counted for its owner."""
        if not roots:
            return []
        admitted = roots[: await self._room_for(queue_id, len(roots), partly=partly)]
        for user_id, number in sorted(Counter(row.user_id for row in admitted).items()):
            await self._admit(queue_id, user_id, number)
        counts = Counter(Counted(queue_id, row.user_id, row.destination, Status.PENDING) for row in admitted)
        await add_to_counts(self._connection, counts)
        return admitted

    async def _again(self, row: Row[Any]) -> int:
        """A new item like the root, with nothing executed yet."""
        now = self._now()
        values: dict[str, object] = {
            name: getattr(row, name) for name in ("user_id", "queue_id", "batch_key", "priority", "field_values", "workflow")
        }
        if not row.has_graph:
            values["session_id"] = self._ground.ids()
            fresh = fresh_session(str(values["session_id"]), brought_graph(row.session))
            values["session"] = json.dumps(fresh, ensure_ascii=False)
        values["retried_from_item_id"] = row.retried_from_item_id or row.item_id
        add = sa.insert(queue_items).values(**values, created_at=now, updated_at=now)
        item_id: int = await self._connection.fetch_value(add.returning(queue_items.c.item_id))
        return item_id
