"""What listeners are told: each change once, as the owner's, after the commit, and nothing that did not happen."""

import asyncio
from dataclasses import astuple
from functools import partial
from typing import Any

import pytest

from tenantry import Principal, Studio
from tenantry.errors import Conflict, InvalidInput, NotAllowed, NotFound, TenantryError
from tenantry.queue import UnitOfWork
from tenantry.repositories.changes import (
    AccountChanged,
    AccountCreated,
    AccountDeleted,
    BoardCreated,
    BoardDeleted,
    BoardShared,
    BoardUnshared,
    BoardUpdated,
    Change,
    LibraryTransferred,
    MediaDeleted,
    MediaMoved,
    MediaSaved,
    MediaUpdated,
    WorkflowCreated,
    WorkflowDeleted,
    WorkflowUpdated,
)
from tenantry.tenancy import SYSTEM_USER_ID, InternalReason
from tests.integration.conftest import Mode, Operation, People
from tests.integration.isolation.plans_accounts import HASH
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


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_an_item_is_told_of_from_its_beginning_to_its_end(ear: Ear, people: People, kind: Any) -> None:
    """Saving a name again is nothing new."""
    board = await ear.board(people.ana, bo="write")

    def of(work: UnitOfWork) -> Any:
        return work.images if kind == "image" else work.videos

    saved = await ear.told(people.bo, lambda work: of(work).save("b", **IMAGE, board_id=board))
    assert saved == [MediaSaved("bo", kind, "b", board)]
    assert await ear.told(people.bo, lambda work: of(work).save("b", **IMAGE)) == []
    updated = await ear.told(people.ana, lambda work: of(work).update("b", is_intermediate=True))
    assert updated == [MediaUpdated("bo", kind, ("b",), board)]
    gone = await ear.told(people.bo, lambda work: of(work).delete_intermediates(["b", "other"]))
    assert gone == [MediaDeleted("bo", kind, ("b",), board)]
    assert await ear.told(people.bo, lambda work: of(work).delete(["b"])) == []
    assert await ear.told(people.ana, lambda work: of(work).save("loose", **IMAGE)) == [MediaSaved("ana", kind, "loose", None)]


async def test_many_items_are_told_of_by_owner_and_board(ear: Ear, people: People) -> None:
    """In the order in which they were named, and only those that one may change."""
    board = await ear.board(people.ana, "a1", "a2", bo="write", cy="read")
    await ear.image(people.bo, "b1", board)
    await ear.image(people.bo, "b2")
    await ear.image(people.cy, "c1")
    names = ["c1", "b2", "a2", "b1", "a1", "none-such", "a2"]
    starred = await ear.told(people.bo, lambda work: work.images.star(names))
    assert starred == [
        MediaUpdated("bo", "image", ("b2",), None),
        MediaUpdated("ana", "image", ("a2", "a1"), board),
        MediaUpdated("bo", "image", ("b1",), board),
    ]
    assert await ear.told(people.cy, lambda work: work.images.star(["a1", "b1"])) == []
    gone = await ear.told(people.root, lambda work: work.images.delete(names))
    assert gone == [MediaDeleted("cy", "image", ("c1",), None), *[MediaDeleted(*astuple(each)) for each in starred]]


async def test_items_move(ear: Ear, people: People) -> None:
    """Each from where it was; what was there already did not move."""
    old, new = await ear.board(people.ana, "a1", "a2"), await ear.board(people.ana, "a3", bo="write")
    await ear.image(people.ana, "a4")
    names = ["a4", "a3", "a2", "a1"]
    put = await ear.told(people.ana, lambda work: work.images.put_on_board(names, new))
    assert put == [MediaMoved("ana", "image", ("a4",), None, new), MediaMoved("ana", "image", ("a2", "a1"), old, new)]
    assert await ear.told(people.ana, lambda work: work.images.put_on_board(names, new)) == []
    assert await ear.told(people.bo, lambda work: work.images.put_on_board(names, new)) == []
    assert await ear.told(people.bo, lambda work: work.images.take_off_board(names, board_id=old)) == []
    off = await ear.told(people.bo, lambda work: work.images.take_off_board(["a1", "a4"]))
    assert off == [MediaMoved("ana", "image", ("a1", "a4"), new, None)]
    assert await ear.told(people.ana, lambda work: work.images.take_off_board(["a1"])) == []


async def test_workflows(ear: Ear, people: People) -> None:
    """With who could see it before and who can now."""
    created = await ear.told(people.ana, lambda work: work.workflows.create(workflow_document(), workflow_id="w"))
    assert created == [WorkflowCreated("ana", "w", is_public=False)]
    for who, public in ((people.ana, True), (people.root, False), (people.ana, True)):
        told = await ear.told(who, partial(_show, "w", public))
        assert told == [WorkflowUpdated("ana", "w", not public, public)]
    told = await ear.told(people.root, lambda work: work.workflows.update("w", workflow_document("other")))
    assert told == [WorkflowUpdated("ana", "w", old_is_public=True, new_is_public=True)]
    assert await ear.told(people.ana, lambda work: work.workflows.touch_opened("w")) == []
    assert await ear.told(people.root, lambda work: work.workflows.delete("w")) == [WorkflowDeleted("ana", "w", is_public=True)]


async def _show(workflow_id: str, public: bool, work: UnitOfWork) -> None:
    await work.workflows.set_public(workflow_id, public)


async def test_accounts(ear: Ear, people: People) -> None:
    """Whatever changes who somebody is and what they may."""
    (created,) = await ear.told(people.root, lambda work: work.users.create("di@example.com", HASH))
    di = created.user_id
    assert created == AccountCreated(di)
    changes: list[tuple[Operation[object], AccountChanged]] = [
        (lambda work: work.users.update(di, is_admin=True), AccountChanged(di, True, True, 0)),
        (lambda work: work.users.update(di, is_admin=False, is_active=False), AccountChanged(di, False, False, 0)),
        (lambda work: work.users.update(di, email="dido@example.com"), AccountChanged(di, False, False, 0)),
        (lambda work: work.users.set_password(di, HASH), AccountChanged(di, False, False, 1)),
        (lambda work: work.users.end_tokens(di), AccountChanged(di, False, False, 2)),
    ]
    for operation, change in changes:
        assert await ear.told(people.root, operation) == [change]
    renamed = await ear.told(people.ana, lambda work: work.users.update("ana", display_name="Ann"))
    assert renamed == [AccountChanged("ana", False, True, 0)]
    assert await ear.told(people.ana, lambda work: work.users.update("ana")) == []
    assert await ear.told(people.root, lambda work: work.users.touch_login(di)) == []
    assert await ear.told(people.root, lambda work: work.users.delete(di)) == [AccountDeleted(di)]


async def test_the_first_administrator(studio: Studio) -> None:
    """Is an account like others; who comes second is none."""
    told: list[Change] = []
    studio.listen(told.extend)
    async with studio.begin(ITSELF) as work:
        first = await work.users.create_first_admin("root@example.com", HASH)
        with pytest.raises(Conflict):
            await work.users.create_first_admin("other@example.com", HASH)
    assert told == [AccountCreated(first.user_id)]


async def test_a_library_changes_hands(ear: Ear, people: People) -> None:
    """Once for all that is in it, and not at all where there is nothing."""
    await ear.board(people.ana, "a1")
    transferred = await ear.told(people.root, lambda work: work.ownership.transfer("ana", "bo"))
    assert transferred == [LibraryTransferred("ana", "bo")]
    assert await ear.told(people.root, lambda work: work.ownership.transfer("ana", "bo")) == []
    kept = await ear.told(people.root, lambda work: work.ownership.keep("bo"))
    assert kept == [LibraryTransferred("bo", SYSTEM_USER_ID)]
    assigned = await ear.told(people.root, lambda work: work.ownership.legacy_assign("cy@example.com"))
    assert assigned == [LibraryTransferred(SYSTEM_USER_ID, "cy")]
    assert await ear.told(people.root, lambda work: work.ownership.legacy_assign("cy@example.com")) == []


async def test_a_library_that_others_saw_is_deleted(ear: Ear, people: People) -> None:
    """They are told of what they lose; the rest goes with the account."""
    await ear.board(people.ana, "private")
    shared = await ear.board(people.ana, "shared", bo="write", cy="read")
    opened = await ear.board(people.ana, "opened")
    bos = await ear.board(people.bo, ana="write")
    await ear.told(people.ana, lambda work: work.boards.update(opened, visibility="public"))
    await ear.image(people.ana, "visiting", bos)
    await ear.image(people.bo, "guest", shared)
    await ear.workflow(people.ana, "secret", public=False)
    await ear.workflow(people.ana, "known", public=True)

    async def delete(work: UnitOfWork) -> None:
        await work.ownership.delete_data("ana")
        await work.users.delete("ana")

    assert await ear.told(people.root, delete) == [
        BoardDeleted("ana", shared, False, ("bo", "cy")),
        BoardDeleted("ana", opened, True, ()),
        MediaDeleted("ana", "image", ("visiting",), bos),
        WorkflowDeleted("ana", "known", is_public=True),
        AccountDeleted("ana"),
    ]


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


async def test_what_was_refused_is_not_told(ear: Ear, people: People) -> None:
    """Also where the unit of work goes on."""
    board = await ear.board(people.ana, "a1", bo="read")
    await ear.workflow(people.ana, "w", public=True)
    refused: list[tuple[type[TenantryError], Operation[object]]] = [
        (InvalidInput, lambda work: work.boards.create("")),
        (NotAllowed, lambda work: work.boards.update(board, visibility="public")),
        (NotFound, lambda work: work.boards.update("none", visibility="public")),
        (NotAllowed, lambda work: work.boards.delete(board)),
        (NotFound, lambda work: work.boards.delete("none")),
        (NotAllowed, lambda work: work.shares.grant(board, ["cy"], "read")),
        (NotAllowed, lambda work: work.shares.revoke(board, "cy")),
        (NotAllowed, lambda work: work.images.save("b1", **IMAGE, board_id=board)),
        (Conflict, lambda work: work.images.save("a1", **IMAGE)),
        (NotAllowed, lambda work: work.images.update("a1", starred=True)),
        (NotAllowed, lambda work: work.images.put_on_board(["a1"], board)),
        (Conflict, lambda work: work.workflows.create(workflow_document(), workflow_id="w")),
        (NotAllowed, lambda work: work.workflows.update("w", workflow_document())),
        (NotAllowed, lambda work: work.workflows.set_public("w", False)),
        (NotAllowed, lambda work: work.workflows.delete("w")),
        (NotAllowed, lambda work: work.users.update("bo", is_admin=True)),
    ]
    assert await ear.told(people.bo, lambda work: _refusals(work, refused)) == []
    of_accounts: list[tuple[type[TenantryError], Operation[object]]] = [
        (Conflict, lambda work: work.users.create("ana@example.com", HASH)),
        (Conflict, lambda work: work.users.set_password("ana", HASH, replacing=HASH)),
        (Conflict, lambda work: work.users.delete("ana")),
        (NotFound, lambda work: work.users.end_tokens("nobody")),
        (InvalidInput, lambda work: work.shares.grant(board, ["cy", "nobody"], "read")),
        (InvalidInput, lambda work: work.ownership.transfer("ana", "nobody")),
    ]
    assert await ear.told(people.root, lambda work: _refusals(work, of_accounts)) == []


async def _refusals(work: UnitOfWork, refused: list[tuple[type[TenantryError], Operation[object]]]) -> None:
    for error, operation in refused:
        with pytest.raises(error):
            await operation(work)
