"""Changes of single items by those whose they are, with the call trees that they belong to."""

import sqlalchemy as sa

from tenantry.database.tables import queue_items
from tenantry.errors import IllegalTransition, NotAllowed
from tenantry.queue.chains import Chains, Link
from tenantry.queue.conditions import has_status
from tenantry.queue.deletions import Deletions
from tenantry.queue.states import FINAL, Status
from tenantry.repositories.base import among
from tenantry.tenancy import InternalReason

__all__ = ["Control"]


class Control(Chains, Deletions):
    """Cancels and deletes items, and puts them first."""

    __slots__ = ()

    async def cancel(self, item_id: int) -> list[int]:
        """Cancel an item and the call tree it belongs to; answers those that had not ended. Raises `NotFound`, `NotAllowed`."""
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            link = await self._own(item_id)
            if link.status in FINAL:
                return []
            return await self._cancel_chain(link)

    async def delete(self, item_id: int) -> list[int]:
        """Delete an item and the whole call tree it belongs to, canceling it first where it has not ended; answers the deleted.

        Raises `NotFound` and `NotAllowed`.
        """
        async with self._ground.elevated(InternalReason.KEEP_QUEUE), self._counting_once():
            link = await self._own(item_id)
            await self._cancel_chain(link)
            chain = await self._chain([link.root_item_id or link.item_id])
            gone = await self._delete(among(self._dialect, queue_items.c.item_id, [each.item_id for each in chain]))
            return sorted(item_id for _, item_id in gone)

    async def put_first(self, item_id: int) -> None:
        """Let a pending item be the next of all, whoever's turn it is; limits of its user still hold.

        Of several the one that was put last goes first. Raises `NotAllowed` for tenants, `NotFound` and `IllegalTransition`.
        """
        self._only_privileged("put items first")
        items = queue_items.c
        first = sa.select(sa.func.coalesce(sa.func.min(items.put_first), 0) - 1).where(
            has_status(items, Status.PENDING), items.put_first.is_not(None)
        )
        change = sa.update(queue_items).where(items.item_id == item_id, has_status(items, Status.PENDING))
        if not await self._connection.execute(change.values(put_first=first.scalar_subquery(), updated_at=self._now())):
            link = await self._link(item_id)
            raise IllegalTransition(link.status, "the first of the queue")

    async def _own(self, item_id: int) -> Link:
        """An item that the principal may change. Raises `NotFound` and `NotAllowed`."""
        link = await self._link(item_id)
        if not self._everything and link.user_id != self._me:
            raise NotAllowed("You may see this item of the queue but not change it.")
        return link
