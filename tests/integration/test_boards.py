"""Boards and shares, on both databases and in both modes."""

from functools import partial

import pytest

from tenantry.errors import InvalidCursor, InvalidInput, NotAllowed, NotFound
from tenantry.repositories import Board, Page, UnitOfWork
from tenantry.repositories.boards import BoardOrder
from tests.integration.conftest import Mode, People


async def test_a_new_board_belongs_to_its_maker_and_is_private(mode: Mode, people: People) -> None:
    """Nobody else sees a board that was just made, not even that it exists."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    assert await mode.read(people.ana, lambda work: work.boards.get(board.board_id)) == board
    assert (board.user_id, board.visibility) == ("ana", "private")
    with pytest.raises(NotFound):
        await mode.read(people.bo, lambda work: work.boards.get(board.board_id))


async def test_a_shared_board_is_seen_by_all_and_changed_by_its_owner(mode: Mode, people: People) -> None:
    """Seeing is not changing: others are told that they may not, since they know the board."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes", visibility="shared"))
    assert (await mode.read(people.bo, lambda work: work.boards.get(board.board_id))).board_name == "Foxes"
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.boards.update(board.board_id, board_name="Wolves"))
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.boards.delete(board.board_id))
    renamed = await mode.write(people.ana, lambda work: work.boards.update(board.board_id, board_name="Wolves"))
    assert renamed.board_name == "Wolves"
    assert renamed.updated_at > board.updated_at


@pytest.mark.parametrize(("visibility", "refusal"), [("private", NotFound), ("shared", NotAllowed)])
async def test_a_stranger_learns_of_the_board_before_its_cover(
    mode: Mode, people: People, visibility: str, refusal: type[Exception]
) -> None:
    """An image that is not there is complained about to those alone who may change the board."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes", visibility=visibility))
    for who, expected in ((people.bo, refusal), (people.ana, InvalidInput), (people.root, InvalidInput)):
        with pytest.raises(expected):
            await mode.write(who, lambda work: work.boards.update(board.board_id, cover_image_name="nowhere.png"))


async def test_a_share_lets_one_user_in_at_its_level(mode: Mode, people: People) -> None:
    """Read shows the board, admin lets rename and share on; nobody else gets anything."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    await mode.write(people.ana, lambda work: work.shares.grant(board.board_id, ["bo"], "read"))
    assert await mode.read(people.bo, lambda work: work.boards.get(board.board_id)) == board
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.shares.grant(board.board_id, ["cy"], "read"))
    await mode.write(people.ana, lambda work: work.shares.grant(board.board_id, ["bo"], "admin"))
    await mode.write(people.bo, lambda work: work.shares.grant(board.board_id, ["cy"], "write"))
    await mode.write(people.bo, lambda work: work.boards.update(board.board_id, board_name="Wolves"))
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.boards.delete(board.board_id))
    assert await mode.read(people.cy, lambda work: work.boards.may_write(board.board_id))
    await mode.write(people.cy, lambda work: work.shares.revoke(board.board_id, "cy"))
    with pytest.raises(NotFound):
        await mode.read(people.cy, lambda work: work.boards.get(board.board_id))


async def test_a_share_that_is_changed_keeps_its_time(mode: Mode, people: People) -> None:
    """What granting answers is what is stored, in the order that was asked for."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    (first,) = await mode.write(people.ana, lambda work: work.shares.grant(board.board_id, ["bo"], "read"))
    changed = await mode.write(people.ana, lambda work: work.shares.grant(board.board_id, ["cy", "bo"], "write"))
    assert [share.user_id for share in changed] == ["cy", "bo"]
    assert (changed[1].shared_at, changed[1].permission) == (first.shared_at, "write")
    stored = await mode.read(people.ana, lambda work: work.shares.of_board(board.board_id))
    assert stored == [changed[1], changed[0]]


async def test_pages_and_cursors_give_the_same_boards_in_the_same_order(mode: Mode, people: People) -> None:
    """Whichever way a list is walked, each board comes once."""
    for name in "abcabca":
        await mode.write(people.ana, partial(_create, name))
    orders: tuple[BoardOrder, ...] = ("created_at", "board_name")
    for order_by in orders:
        page = await mode.read(people.ana, partial(_first, order_by))
        assert await mode.read(people.ana, partial(_walk, order_by)) == page.items
        assert page.total == 7
    with pytest.raises(InvalidCursor):
        await mode.read(people.ana, lambda work: work.boards.slice(cursor="bm9uc2Vuc2U"))


@pytest.mark.parametrize("name", ["", "   ", "x" * 301, "a\0b", "\ud800"])
async def test_a_name_that_cannot_be_is_refused_and_changes_nothing(mode: Mode, people: People, name: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput) as caught:
        await mode.write(people.ana, lambda work: work.boards.create(name))
    assert caught.value.field == "board_name"
    assert (await mode.read(people.ana, lambda work: work.boards.all())) == []


async def _create(name: str, work: UnitOfWork) -> Board:
    return await work.boards.create(name)


async def _first(order_by: BoardOrder, work: UnitOfWork) -> Page[Board]:
    return await work.boards.page(limit=100, order_by=order_by)


async def _walk(order_by: BoardOrder, work: UnitOfWork) -> list[Board]:
    part = await work.boards.slice(limit=3, order_by=order_by)
    walked = part.items
    while part.next_cursor is not None:
        part = await work.boards.slice(cursor=part.next_cursor, limit=3, order_by=order_by)
        walked = walked + part.items
    return walked
