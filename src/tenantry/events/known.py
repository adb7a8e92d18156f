"""What stored events need to be told whole: read once for many of them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenantry.events.audience import NOBODY, Viewers
from tenantry.queue.facts import ItemFacts, QueueNow
from tenantry.queue.status import Counts
from tenantry.queue.unit_of_work import UnitOfWork
from tenantry.repositories.board_viewers import SeenBy
from tenantry.repositories.outbox import StoredEvent

__all__ = ["Known", "Told", "read_known", "told"]


@dataclass(frozen=True, slots=True)
class Told:
    """A stored event with its body read."""

    place: int
    user_id: str
    kind: str
    created_at: str
    body: dict[str, Any]

    @property
    def timestamp(self) -> int:
        """Seconds since 1970."""
        return int(datetime.fromisoformat(self.created_at).replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Known:
    """What is there now of what the events name; what is gone is not in it."""

    items: dict[int, ItemFacts]
    batches: dict[str, Counts]
    queues: dict[str, QueueNow]
    boards: dict[str, SeenBy]

    def viewers(self, board_id: str | None) -> Viewers:
        """Who sees a board besides its owner and administrators, and who owns it; nobody where there is none."""
        board = None if board_id is None else self.boards.get(board_id)
        return NOBODY if board is None else Viewers(board.shared_with | {board.owner_id}, board.everybody)


def told(stored: StoredEvent) -> Told:
    """A stored event with its body read."""
    return Told(stored.place, stored.user_id, stored.kind, stored.created_at, json.loads(stored.body))


async def read_known(work: UnitOfWork, events: Sequence[Told]) -> Known:
    """Read what these events name."""
    moved = [event for event in events if event.kind == "ItemChanged"]
    items = await _items(work, [item_id for event in moved for item_id, _ in event.body["items"]])
    batch_ids = {item.batch_id for item in items.values()}
    named = [event.body.get(name) for event in events for name in ("board_id", "before_board_id")]
    boards = {board_id for board_id in named if board_id is not None}
    return Known(
        items=items,
        batches=await work.queue_facts.batches(batch_ids) if batch_ids else {},
        queues={queue_id: await work.queue_facts.queue(queue_id) for queue_id in {event.body["queue_id"] for event in moved}},
        boards=await work.board_viewers.of(boards) if boards else {},
    )


async def _items(work: UnitOfWork, item_ids: Collection[int]) -> dict[int, ItemFacts]:
    return await work.queue_facts.items(item_ids) if item_ids else {}
