"""Users who do whatever comes to their mind, several things in each transaction, and what is noted of it for the oracle."""

import json
import random
from contextlib import suppress
from uuid import uuid4

from tenantry import Principal, Studio
from tenantry.errors import DatabaseUnavailable, TenantryError
from tenantry.queue import Batch, UnitOfWork
from tests.acceptance.oracle import BoardNote

__all__ = ["Operator", "prompt_of"]

AT_ONCE = 5


def prompt_of(name: str) -> str:
    """What only the user and administrators may read."""
    return f"prompt-of-{name}-"


class Operator:
    """One user at work."""

    def __init__(self, studio: Studio, who: Principal, others: list[str], boards: dict[str, BoardNote], seed: int) -> None:
        self.done = 0
        self._studio, self._who, self._others, self._boards = studio, who, others, boards
        self._random = random.Random(seed)
        self._own: list[str] = []
        self._images: list[str] = []
        self._workflows: list[str] = []

    async def work(self, operations: int) -> None:
        """Do so many things, and those again that an outage of the database took back."""
        while self.done < operations:
            with suppress(DatabaseUnavailable):
                async with self._studio.begin(self._who) as work:
                    for _ in range(AT_ONCE):
                        # Something may be gone that was made in a transaction of which nobody knows how it ended.
                        await self._something(work)
                self.done += AT_ONCE

    async def _something(self, work: UnitOfWork) -> None:
        doing = self._random.choice(
            [self._board, self._image, self._image, self._star, self._batch, self._workflow, self._change, self._cancel]
        )
        try:
            await doing(work)
        except DatabaseUnavailable:
            raise
        except TenantryError:
            pass

    async def _board(self, work: UnitOfWork) -> None:
        visibility = self._random.choice(["private", "private", "private", "public"])
        board = await work.boards.create(f"Board of {self._who.user_id}", visibility=visibility)
        note = self._boards[board.board_id] = BoardNote(self._who.user_id)
        if visibility == "public":
            note.seen_by |= set(self._others)
        elif self._random.random() < 0.5:
            other = self._random.choice(self._others)
            note.seen_by.add(other)
            await work.shares.grant(board.board_id, [other], "read")
        self._own.append(board.board_id)

    async def _image(self, work: UnitOfWork) -> None:
        name = f"{uuid4().hex}.png"
        board = self._random.choice([*self._own[-5:], None])
        await work.images.save(name, origin="internal", category="general", width=8, height=8, board_id=board)
        self._images.append(name)

    async def _star(self, work: UnitOfWork) -> None:
        if self._images:
            await work.images.star(self._random.sample(self._images[-10:], 1))

    async def _batch(self, work: UnitOfWork) -> None:
        origin = prompt_of(self._who.user_id) + uuid4().hex
        graph = {"nodes": {"prompt": {"id": "prompt", "text": origin}}, "edges": []}
        await work.queue.enqueue(Batch(graph=graph, origin=origin, destination=origin, runs=self._random.randint(1, 3)))

    async def _workflow(self, work: UnitOfWork) -> None:
        document = {"name": prompt_of(self._who.user_id), "meta": {"version": "3.0.0", "category": "user"}}
        made = await work.workflows.create(json.dumps(document), is_public=self._random.random() < 0.3)
        self._workflows.append(made.workflow_id)

    async def _change(self, work: UnitOfWork) -> None:
        """Show a board to everybody, or hide or delete it; from then on nobody else can be sure to hear of it."""
        if not self._own:
            return
        board_id = self._random.choice(self._own)
        self._boards[board_id].changed = True
        match self._random.choice(["public", "private", "delete"]):
            case "delete":
                await work.boards.delete(board_id)
                self._own.remove(board_id)
            case visibility:
                if visibility == "public":
                    self._boards[board_id].seen_by |= set(self._others)
                await work.boards.update(board_id, visibility=visibility)

    async def _cancel(self, work: UnitOfWork) -> None:
        for item_id in await work.queue.item_ids(user_id=self._who.user_id, limit=1):
            await work.queue.cancel(item_id)
