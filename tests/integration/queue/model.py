"""The queue in a few lists: what the real one is compared with after each operation.

It knows turns only as rounds: whoever was served longest ago comes next (equal weights), and of those who never were, whose
item is oldest. It knows nothing of transactions, counts, indexes or leases' clocks.
"""

from dataclasses import dataclass, field, replace

from tenantry.queue import Status

ADMINISTRATOR = "root"
PENDING, RUNNING, WAITING = Status.PENDING, Status.IN_PROGRESS, Status.WAITING
ENDED = {Status.COMPLETED, Status.FAILED, Status.CANCELED}


@dataclass
class Item:
    """What is known of an item."""

    item_id: int
    owner: str
    batch: int
    priority: int
    value: int
    status: Status = PENDING
    sequence: int = 0
    attempt: int = 0
    worker: int | None = None
    retried_from: int | None = None
    put_first: int | None = None


@dataclass
class Model:
    """One queue."""

    capacity: int
    items: dict[int, Item] = field(default_factory=dict)
    given_ids: int = 0
    batches: int = 0
    served: dict[str, int] = field(default_factory=dict)
    claims: int = 0
    paused: set[str] = field(default_factory=set)
    max_running: int | None = None

    def of(self, *statuses: Status) -> list[Item]:
        return [item for item in self.items.values() if item.status in statuses]

    def count(self, owner: str | None = None) -> dict[Status, int]:
        found: dict[Status, int] = {}
        for item in self.items.values():
            if owner in (None, item.owner):
                found[item.status] = found.get(item.status, 0) + 1
        return found

    def enqueue(self, owner: str, values: list[int], prepend: bool) -> list[int] | None:
        """The new ids, or None where there is no room."""
        waiting = self.of(PENDING)
        if len(waiting) + len(values) > self.capacity:
            return None
        priority = max((item.priority for item in waiting), default=0) + 1 if prepend else 0
        self.batches += 1
        return [self._add(Item(0, owner, self.batches, priority, value)).item_id for value in values]

    def claim(self, worker: int, slots: int) -> list[int]:
        """Whoever was served longest ago, item by item."""
        claimed = []
        for _ in range(slots):
            item = self._next()
            if item is None:
                break
            self.claims += 1
            self.served[item.owner] = self.claims
            self._become(item, RUNNING)
            item.worker, item.attempt, item.put_first = worker, item.attempt + 1, None
            claimed.append(item.item_id)
        return claimed

    def acknowledge(self, item_id: int, worker: int, attempt: int, after: Status) -> bool:
        """Whether the worker was heard."""
        item = self.items.get(item_id)
        if item is None or (item.status, item.worker, item.attempt) != (RUNNING, worker, attempt):
            return False
        self._become(item, after)
        return True

    def lose(self, worker: int) -> list[int]:
        """What the worker held waits again."""
        lost = [item for item in self.of(RUNNING) if item.worker == worker]
        for item in lost:
            self._become(item, PENDING)
        return [item.item_id for item in lost]

    def cancel(self, items: list[Item]) -> list[int]:
        """Those that had not ended."""
        live = [item for item in items if item.status not in ENDED]
        for item in live:
            self._become(item, Status.CANCELED)
            item.put_first = None
        return [item.item_id for item in live]

    def delete(self, items: list[Item]) -> list[int]:
        for item in items:
            del self.items[item.item_id]
        return [item.item_id for item in items]

    def retry(self, items: list[Item]) -> list[int] | None:
        """The new ids, or None where there is no room."""
        again = [item for item in items if item.status in (Status.FAILED, Status.CANCELED)]
        if len(self.of(PENDING)) + len(again) > self.capacity:
            return None
        made = []
        for item in again:
            fresh = replace(item, status=PENDING, sequence=0, attempt=0, worker=None, put_first=None)
            fresh.retried_from = item.retried_from or item.item_id
            made.append(self._add(fresh).item_id)
        return made

    def theirs(self, actor: str, items: list[Item]) -> list[Item]:
        """Of these, what the actor may change."""
        return [item for item in items if actor in (ADMINISTRATOR, item.owner)]

    def put_first(self, item: Item) -> None:
        numbers = [each.put_first for each in self.of(PENDING) if each.put_first is not None]
        item.put_first = min([0, *numbers]) - 1 if numbers else -1

    def _next(self) -> Item | None:
        waiting = [item for item in self.of(PENDING) if item.owner not in self.paused and self._has_room(item.owner)]
        first = [item for item in waiting if item.put_first is not None]
        if first:
            return min(first, key=lambda item: item.put_first or 0)
        heads: dict[str, Item] = {}
        for item in sorted(waiting, key=lambda item: (-item.priority, item.item_id)):
            heads.setdefault(item.owner, item)
        return min(heads.values(), key=lambda item: (self.served.get(item.owner, 0), item.item_id), default=None)

    def _has_room(self, owner: str) -> bool:
        running = sum(item.owner == owner for item in self.of(RUNNING))
        return self.max_running is None or running < self.max_running

    def _become(self, item: Item, status: Status) -> None:
        item.status = status
        item.sequence += 1

    def _add(self, item: Item) -> Item:
        self.given_ids += 1
        item.item_id = self.given_ids
        self.items[item.item_id] = item
        return item
