"""Workflow calls: an item that calls another workflow waits while a child item runs it; children may call further.

The items of one call tree name its root, and each its parent (contract, section 4.9: workflow calls).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Row, Select

from tenantry.database.tables import queue_items
from tenantry.errors import NotFound
from tenantry.queue.changes import ItemChanged
from tenantry.queue.states import LIVE, Status
from tenantry.queue.transitions import Move, Moved, Transitions
from tenantry.repositories.base import among

__all__ = ["Chains", "Link", "link_of", "links", "root_of"]

_CALLED_FAILED = "The workflow that it called has ended without a result."


class Link(NamedTuple):
    """An item of a call tree."""

    item_id: int
    parent_item_id: int | None
    root_item_id: int | None
    status: Status
    user_id: str
    queue_id: str


class Chains(Transitions):
    """Looks along call trees and changes them, for the repositories that know who asks."""

    __slots__ = ()

    async def _link(self, item_id: int) -> Link:
        """One item. Raises `NotFound`."""
        row = await self._connection.fetch_one(links().where(queue_items.c.item_id == item_id))
        if row is None:
            raise NotFound("queue item", field="item_id")
        return link_of(row)

    async def _chain(self, root_ids: Iterable[int]) -> list[Link]:
        """The roots and all that was called for them, in the order of their ids."""
        roots = list(root_ids)
        condition = sa.or_(
            among(self._dialect, queue_items.c.item_id, roots), among(self._dialect, queue_items.c.root_item_id, roots)
        )
        query = links().where(condition).order_by(queue_items.c.item_id)
        if self._dialect == "postgresql":
            query = query.with_for_update()
        return [link_of(row) for row in await self._connection.fetch_all(query)]

    async def _descendants(self, item_id: int, *, of_root: int) -> list[Link]:
        chain = await self._chain([of_root])
        below = {item_id}
        # A child is always younger than its parent.
        found = []
        for link in chain:
            if link.parent_item_id in below:
                below.add(link.item_id)
                found.append(link)
        return found

    async def _cancel(self, links: Iterable[Link]) -> list[int]:
        """Cancel those that have not ended; answers them, and tells of each, in the order in which they come."""
        wanted = list(links)
        moved: dict[int, Moved] = {}
        for before in sorted(LIVE):
            moves = [Move(link.item_id) for link in wanted if link.status is before]
            canceled = await self._move(before, Status.CANCELED, moves, quietly=True)
            moved |= {item.item_id: item for item in canceled}
        for link in wanted:
            if item := moved.get(link.item_id):
                self._record(
                    ItemChanged(
                        *(item.user_id, item.queue_id, item.item_id, item.batch_key),
                        link.status,
                        Status.CANCELED,
                        item.status_sequence,
                    )
                )
        return [link.item_id for link in wanted if link.item_id in moved]

    async def _cancel_chain(self, link: Link) -> list[int]:
        """Cancel a whole call tree, the callers first."""
        return await self._cancel(await self._chain([root_of(link)]))

    async def _end_chain(self, item_id: int) -> None:
        """An item has ended without an answer: fail what waits for it, and cancel what it called."""
        link = await self._link(item_id)
        if link.parent_item_id is None and link.root_item_id is None:
            return
        chain = {each.item_id: each for each in await self._chain([root_of(link)])}
        waiting: list[Link] = []
        above = chain.get(link.parent_item_id or 0)
        while above is not None:
            waiting.append(above)
            above = chain.get(above.parent_item_id or 0)
        moves = [
            Move(each.item_id, error_type="WorkflowCallFailed", error_message=_CALLED_FAILED)
            for each in waiting
            if each.status is Status.WAITING
        ]
        await self._move(Status.WAITING, Status.FAILED, moves)
        above_ids = {each.item_id for each in waiting}
        await self._cancel(each for each in chain.values() if each.item_id not in above_ids)


def root_of(link: Link) -> int:
    """The root of the call tree that an item belongs to; the item itself, where it was not called."""
    return link.root_item_id or link.item_id


def link_of(row: Row[Any]) -> Link:
    """A row of `links`."""
    return Link(row.item_id, row.parent_item_id, row.root_item_id, Status(row.status), row.user_id, row.queue_id)


def links() -> Select[Any]:
    """Items, as far as their call trees are concerned."""
    items = queue_items.c
    return sa.select(items.item_id, items.parent_item_id, items.root_item_id, items.status, items.user_id, items.queue_id)
