"""What listeners are told: each change once, as the owner's, after the commit, and nothing that did not happen."""

import asyncio
from functools import partial
from typing import Any

import pytest

from tenantry import Principal, Studio
from tenantry.errors import NotFound
from tenantry.queue import UnitOfWork
from tenantry.repositories.changes import (
    BoardCreated,
    BoardDeleted,
    BoardShared,
    BoardUnshared,
    BoardUpdated,
    Change,
)
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, Operation, People
from tests.integration.isolation.plans_library import workflow_document

IMAGE: dict[str, Any] = {"origin": "internal", "category": "general", "width": 64, "height": 48}
ITSELF = Principal.internal(InternalReason.OPERATE)


class Ear:
    """Hears what each operation tells."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._told: list[Change] = []
        mode.studio.listen(self._told.extend)

    async def told(self, who: Principal, operation: Operation[object]) -> list[Change]:
        """What is told of this operation."""
        self._told.clear()
        await self._mode.write(who, operation)
        return self._told.copy()

    async def board(self, who: Principal, *images: str, **shares: str) -> str:
        """A private board with these images on it, shared as it says."""
        board = (await self._mode.write(who, lambda work: work.boards.create("Foxes"))).board_id
        for user, permission in shares.items():
            await self._mode.write(who, partial(_share, board, user, permission))
        for name in images:
            await self.image(who, name, board)
        return board

    async def image(self, who: Principal, name: str, board: str | None = None) -> None:
        """An image of `who`'s, on a board or on none."""
        await self._mode.write(who, lambda work: work.images.save(name, **IMAGE, board_id=board))

    async def workflow(self, who: Principal, workflow_id: str, *, public: bool) -> None:
        await self._mode.write(
            who, lambda work: work.workflows.create(workflow_document(), workflow_id=workflow_id, is_public=public)
        )


async def _share(board: str, user: str, permission: str, work: UnitOfWork) -> None:
    await work.shares.grant(board, [user], permission)


@pytest.fixture
def ear(mode: Mode, people: People) -> Ear:
    return Ear(mode)


async def test_boards(ear: Ear, people: People) -> None:
    """Created, changed by whoever may, and deleted."""
    (created,) = await ear.told(people.ana, lambda work: work.boards.create("Foxes"))
    assert isinstance(created, BoardCreated)
    board = created.board_id
    assert created == BoardCreated("ana", board)
    await ear.told(people.ana, lambda work: work.shares.grant(board, ["bo"], "admin"))
    told = await ear.told(people.bo, lambda work: work.boards.update(board, board_name="Vixens"))
    assert told == [BoardUpdated("ana", board, was_open=False)]
    assert await ear.told(people.root, lambda work: work.boards.delete(board)) == [BoardDeleted("ana", board, False, ("bo",))]


@pytest.mark.parametrize("visibility", ["shared", "public"])
async def test_a_board_says_whether_everybody_saw_it(ear: Ear, people: People, visibility: str) -> None:
    """For the last time when it is shown to nobody else any more."""
    board = await ear.board(people.ana, bo="admin")
    told = await ear.told(people.bo, lambda work: work.boards.update(board, visibility=visibility))
    assert told == [BoardUpdated("ana", board, was_open=False)]
    told = await ear.told(people.ana, lambda work: work.boards.update(board, archived=True))
    assert told == [BoardUpdated("ana", board, was_open=True)]
    told = await ear.told(people.bo, lambda work: work.boards.update(board, visibility="private"))
    assert told == [BoardUpdated("ana", board, was_open=True)]
    await ear.told(people.ana, lambda work: work.boards.update(board, visibility=visibility))
    assert await ear.told(people.ana, lambda work: work.boards.delete(board)) == [BoardDeleted("ana", board, True, ("bo",))]


async def test_shares(ear: Ear, people: People) -> None:
    """Only of whom something changed for; of a share's end whoever ends it."""
    board = await ear.board(people.ana)
    told = await ear.told(people.ana, lambda work: work.shares.grant(board, ["cy", "bo"], "read"))
    assert told == [BoardShared("ana", board, ("cy", "bo"))]
    assert await ear.told(people.ana, lambda work: work.shares.grant(board, ["cy", "bo"], "read")) == []
    told = await ear.told(people.ana, lambda work: work.shares.grant(board, ["bo"], "admin"))
    assert told == [BoardShared("ana", board, ("bo",))]
    told = await ear.told(people.bo, lambda work: work.shares.grant(board, ["bo", "cy", "root"], "admin"))
    assert told == [BoardShared("ana", board, ("cy", "root"))]
    assert await ear.told(people.ana, lambda work: work.shares.grant(board, [], "read")) == []
    told = await ear.told(people.bo, lambda work: work.shares.revoke(board, "root"))
    assert told == [BoardUnshared("ana", board, "root")]
    assert await ear.told(people.cy, lambda work: work.shares.revoke(board, "cy")) == [BoardUnshared("ana", board, "cy")]


async def test_a_user_with_whom_a_board_is_shared_while_it_goes_hears_of_it(studio: Studio, people: People) -> None:
    """The deletion waits for the share."""
    told: list[Change] = []
    studio.listen(told.extend)
    async with studio.begin(people.ana) as work:
        board = (await work.boards.create("Foxes")).board_id

    async def delete() -> None:
        async with studio.begin(people.ana) as deleting:
            await deleting.boards.delete(board)

    async with studio.begin(people.root) as work:
        await work.shares.grant(board, ["bo"], "read")
        deletion = asyncio.create_task(delete())
        await asyncio.sleep(0.2)
    await deletion
    assert told[1:] == [BoardShared("ana", board, ("bo",)), BoardDeleted("ana", board, False, ("bo",))]


async def test_what_is_rolled_back_is_not_told(ear: Ear, people: People) -> None:
    """Not even what went well before."""
    told: list[Change] = []

    async def fail(work: UnitOfWork) -> None:
        await work.boards.create("Foxes")
        told.extend(work.ground.changes)
        raise NotFound("courage")

    with pytest.raises(NotFound, match="courage"):
        await ear.told(people.ana, fail)
    assert len(told) == 1
    assert await ear.told(people.ana, lambda work: work.boards.all()) == []
