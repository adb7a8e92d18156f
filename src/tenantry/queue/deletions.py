"""Deletes items, and what they counted."""

from collections import Counter

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import queue_items
from tenantry.errors import NotAllowed
from tenantry.queue.changes import ItemsDeleted
from tenantry.queue.transitions import Transitions, destination_of_item
from tenantry.repositories.queue_counts import Counted

__all__ = ["Deletions"]


class Deletions(Transitions):
    """For the repositories that know which items are meant, and whose they may be."""

    __slots__ = ()

    async def _delete(self, condition: ColumnElement[bool], *, most: int | None = None) -> list[tuple[str, int]]:
        """Delete items, and what they counted; answers their owners and ids; each owner is told of theirs.

        `most`: only so many of them, and none that somebody else is changing at this moment.
        """
        items = queue_items.c
        ids = sa.select(items.item_id).where(condition).limit(most)
        if self._dialect == "postgresql":
            ids = ids.with_for_update(skip_locked=True) if most is not None else ids.order_by(items.item_id).with_for_update()
        alone = most is None and self._dialect == "sqlite"
        destination = destination_of_item()
        gone = sa.delete(queue_items).where(condition if alone else items.item_id.in_(ids))
        rows = await self._connection.fetch_all(
            gone.returning(items.item_id, items.queue_id, items.user_id, destination.label("destination"), items.status)
        )
        counts: Counter[Counted] = Counter()
        by_owner: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            counts[Counted(row.queue_id, row.user_id, row.destination, row.status)] -= 1
            by_owner.setdefault((row.user_id, row.queue_id), []).append(row.item_id)
        await self._add_up(counts)
        self._record(*(ItemsDeleted(user, queue, tuple(sorted(ids))) for (user, queue), ids in sorted(by_owner.items())))
        return [(row.user_id, row.item_id) for row in rows]

    def _theirs(self, user_id: str | None) -> list[ColumnElement[bool]]:
        """Whose items a bulk change is about: a tenant's own always, else those of one user or of everybody."""
        if not self._everything:
            if user_id not in (None, self._me):
                raise NotAllowed("You may change only your own items.")
            return [queue_items.c.user_id == self._me]
        return [] if user_id is None else [queue_items.c.user_id == user_id]
