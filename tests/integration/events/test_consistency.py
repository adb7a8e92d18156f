"""What a client has fetched, with the events applied that came since, is what it would fetch now: boards, items, counts.

Events that name things without saying what they are like have them fetched by the client, as it would on a page.
"""

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from tenantry import Principal, Studio
from tenantry.errors import TenantryError
from tenantry.events.audience import rooms_of
from tenantry.events.types import Event
from tenantry.queue import Batch, Completed, Lease, UnitOfWork
from tests.integration.conftest import People
from tests.integration.events.scene import OPERATE, deliveries

GRAPH: dict[str, object] = {"nodes": {}}
STATUSES = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")
FETCHED_ANEW = {"batch_enqueued", "queue_items_retried", "queue_items_canceled", "queue_items_deleted", "queue_cleared"}
"""Events that change counts and do not say which."""


class View:
    """What one user's page shows: the boards that they see, their items, and how many everybody has."""

    def __init__(self, studio: Studio, who: Principal) -> None:
        self._studio, self._who = studio, who
        self._rooms = rooms_of(who.user_id, is_admin=who.is_admin, queue_ids=["default"])
        self._place = 0

    async def fetch(self) -> None:
        """Everything, as a page that is opened."""
        self.boards = await self._boards()
        self.items = await self._items()
        self.counts = await self._counts()

    async def catch_up(self) -> None:
        """Apply what has happened since."""
        for delivery in await deliveries(self._studio, self._place):
            event = delivery.form_for(self._rooms)
            if event is not None:
                await self._apply(event)
            self._place = delivery.place or self._place

    async def assert_true(self) -> None:
        assert self.boards == await self._boards()
        assert self.items == await self._items()
        assert self.counts == await self._counts()

    async def _apply(self, event: Event) -> None:
        said: dict[str, Any] = event.model_dump(mode="json")
        self._apply_to_boards(event.name, said)
        await self._apply_to_items(event.name, said)
        if event.name == "queue_item_status_changed":
            self.counts = {name: said["queue_status"][name] for name in STATUSES}
        elif event.name in FETCHED_ANEW:
            self.counts = await self._counts()

    def _apply_to_boards(self, name: str, said: dict[str, Any]) -> None:
        if name in {"board_created", "board_shared", "board_updated"}:
            self.boards.add(said["board_id"])
        elif name in {"board_deleted", "board_access_revoked"}:
            self.boards.discard(said["board_id"])

    async def _apply_to_items(self, name: str, said: dict[str, Any]) -> None:
        if name == "queue_item_status_changed":
            known = self.items.get(said["item_id"])
            if known is not None and known[0] < said["status_sequence"]:
                self.items[said["item_id"]] = (said["status_sequence"], said["status"])
        elif name in {"batch_enqueued", "queue_items_retried", "queue_items_canceled"}:
            # What is there already came by its own events, and is not to be taken from here.
            canceled = said.get("canceled_item_ids", ())
            fetched = await self._items()
            self.items |= {number: now for number, now in fetched.items() if number not in self.items or number in canceled}
        elif name == "queue_items_deleted":
            self._forget(said["deleted_item_ids"])
        elif name == "queue_cleared":
            self.items = await self._items()

    def _forget(self, item_ids: list[int]) -> None:
        for item_id in item_ids:
            self.items.pop(item_id, None)

    async def _boards(self) -> set[str]:
        async with self._studio.read(self._who) as work:
            return {board.board_id for board in await work.boards.all()}

    async def _items(self) -> dict[int, tuple[int, str]]:
        """One's own, by their ids: how often each changed, and its status."""
        async with self._studio.read(self._who) as work:
            own = await work.queue.item_ids(user_id=self._who.user_id)
            return {item.item_id: (item.status_sequence, str(item.status)) for item in await work.queue.many(own)}

    async def _counts(self) -> dict[str, int]:
        async with self._studio.read(self._who) as work:
            counts: dict[str, int] = asdict((await work.queue.status()).everybody)
        return {name: counts[name] for name in STATUSES}


class Doing:
    """Users and a worker who do whatever comes to their mind."""

    def __init__(self, studio: Studio, people: People, seed: int) -> None:
        self._studio, self._random = studio, random.Random(seed)
        self._users = [people.ana, people.bo, people.cy]
        self._everybody = [*self._users, people.root]
        self._leases: list[Lease] = []

    async def something(self) -> None:
        doings: list[Callable[[], Awaitable[None]]] = [
            *(self._board, self._show, self._show, self._share, self._unshare, self._delete_board),
            *(self._enqueue, self._enqueue, self._claim, self._complete, self._cancel, self._retry, self._delete, self._clear),
        ]
        with suppress(TenantryError):
            await self._random.choice(doings)()

    async def _as(self, who: Principal, operation: Callable[[UnitOfWork], Awaitable[object]]) -> None:
        async with self._studio.begin(who) as work:
            await operation(work)

    async def _any_board(self) -> tuple[Principal, str]:
        """A board and its owner. Raises `IndexError` where there is none."""
        async with self._studio.read(OPERATE) as work:
            board = self._random.choice(await work.boards.all())
        return Principal(board.user_id), board.board_id

    async def _board(self) -> None:
        visibility = self._random.choice(["private", "shared", "public"])
        await self._as(self._random.choice(self._users), lambda work: work.boards.create("Foxes", visibility=visibility))

    async def _show(self) -> None:
        owner, board_id = await self._any_board()
        visibility = self._random.choice(["private", "private", "shared", "public"])
        await self._as(owner, lambda work: work.boards.update(board_id, visibility=visibility))

    async def _share(self) -> None:
        owner, board_id = await self._any_board()
        to = self._random.choice(self._users).user_id
        await self._as(owner, lambda work: work.shares.grant(board_id, [to], "read"))

    async def _unshare(self) -> None:
        owner, board_id = await self._any_board()
        to = self._random.choice(self._users).user_id
        await self._as(owner, lambda work: work.shares.revoke(board_id, to))

    async def _delete_board(self) -> None:
        owner, board_id = await self._any_board()
        await self._as(owner, lambda work: work.boards.delete(board_id))

    async def _enqueue(self) -> None:
        batch = Batch(graph=GRAPH, runs=self._random.randint(1, 3))
        await self._as(self._random.choice(self._everybody), lambda work: work.queue.enqueue(batch))

    async def _claim(self) -> None:
        async with self._studio.begin(OPERATE) as work:
            name = f"worker {self._random.random()}"
            worker = await work.workers.register(name, host="here", process=1, concurrency=2)
            self._leases += [item.lease for item in await work.dispatch.claim(worker, devices=(None, None))]

    async def _complete(self) -> None:
        if self._leases:
            lease = self._leases.pop(0)
            await self._as(OPERATE, lambda work: work.dispatch.acknowledge([Completed(lease=lease)]))

    async def _cancel(self) -> None:
        await self._of_items(lambda work, item_id: work.queue.cancel(item_id))

    async def _delete(self) -> None:
        await self._of_items(lambda work, item_id: work.queue.delete_items([item_id]))

    async def _retry(self) -> None:
        await self._of_items(lambda work, item_id: work.queue.retry([item_id]))

    async def _clear(self) -> None:
        who = self._random.choice(self._users)
        if self._random.random() < 0.3:
            await self._as(who, lambda work: work.queue.clear(user_id=who.user_id))
        else:
            await self._as(who, lambda work: work.queue.cancel_all_except_current(user_id=who.user_id))

    async def _of_items(self, operation: Callable[[UnitOfWork, int], Awaitable[object]]) -> None:
        who = self._random.choice(self._everybody)
        async with self._studio.read(who) as work:
            item_ids = await work.queue.item_ids(user_id=who.user_id)
        item_id = self._random.choice([*item_ids, 0])
        await self._as(who, lambda work: operation(work, item_id))


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_fetched_and_the_events_since_make_what_is_there_now(studio: Studio, people: People, seed: int) -> None:
    """For owners, those with whom boards are shared, subscribers and an administrator, however many events come at once."""
    doing = Doing(studio, people, seed)
    views = [View(studio, who) for who in (people.ana, people.bo, people.cy, people.root)]
    for view in views:
        await view.fetch()
    for step in range(120):
        with suppress(IndexError):
            await doing.something()
        # Some hear of each thing at once, others of many together.
        for number, view in enumerate(views):
            if step % (1, 3, 10, 40)[(number + seed) % 4] == 0 or step == 119:
                await view.catch_up()
                await view.assert_true()
