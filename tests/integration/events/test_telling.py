"""What each user hears of boards, images, workflows and accounts: what they may see, and that they may see it no more."""

from tenantry import Principal, Studio
from tenantry.events.types import Event, library
from tests.integration.conftest import People
from tests.integration.events.scene import OPERATE, heard_by, place_all


async def names(studio: Studio, who: Principal) -> list[str]:
    """The names of what a user hears."""
    return [event.name for event in await heard_by(studio, who)]


async def last(studio: Studio, who: Principal) -> Event:
    """The last that a user hears."""
    return (await heard_by(studio, who))[-1]


async def save(studio: Studio, who: Principal, name: str, board_id: str) -> None:
    """Save an image on a board."""
    async with studio.begin(who) as work:
        await work.images.save(name, origin="internal", category="general", width=8, height=8, board_id=board_id)


async def board(studio: Studio, owner: Principal, **more: str) -> str:
    async with studio.begin(owner) as work:
        return (await work.boards.create("Foxes", **more)).board_id


async def test_a_private_board_is_its_owners_and_administrators_to_hear_of(studio: Studio, people: People) -> None:
    """With the images on it."""
    board_id = await board(studio, people.ana)
    await save(studio, people.ana, "fox.png", board_id)
    assert await names(studio, people.ana) == await names(studio, people.root) == ["board_created", "image_saved"]
    assert await names(studio, people.bo) == []


async def test_whom_a_board_is_shared_with_hears_of_it_from_then_on(studio: Studio, people: People) -> None:
    """And not any more once it ends, but that it has."""
    board_id = await board(studio, people.ana)
    async with studio.begin(people.ana) as work:
        await work.shares.grant(board_id, ["bo"], "write")
    await save(studio, people.bo, "of-bo.png", board_id)
    assert (await names(studio, people.bo))[-2:] == ["board_shared", "image_saved"]
    assert (await names(studio, people.ana))[-1] == "image_saved"
    async with studio.begin(people.ana) as work:
        await work.shares.revoke(board_id, "bo")
    revoked = await last(studio, people.bo)
    assert isinstance(revoked, library.BoardAccessRevoked)
    assert revoked.board_id == board_id
    assert (await names(studio, people.ana))[-1] == "board_updated"
    assert await names(studio, people.cy) == []


async def test_everybody_hears_of_a_board_that_everybody_sees(studio: Studio, people: People) -> None:
    """And once, that it is not shown to them any more."""
    board_id = await board(studio, people.ana, visibility="shared")
    await save(studio, people.ana, "fox.png", board_id)
    assert await names(studio, people.bo) == ["board_created", "image_saved"]
    async with studio.begin(people.ana) as work:
        await work.boards.update(board_id, visibility="private")
    assert await names(studio, people.bo) == ["board_access_revoked"]
    assert (await names(studio, people.ana))[-1] == "board_updated"


async def test_a_deleted_board_is_told_to_those_who_saw_it(studio: Studio, people: People) -> None:
    """Although nobody can ask any more who they were."""
    board_id = await board(studio, people.ana)
    async with studio.begin(people.ana) as work:
        await work.shares.grant(board_id, ["bo"], "read")
    async with studio.begin(people.ana) as work:
        await work.boards.delete(board_id)
    assert isinstance(await last(studio, people.bo), library.BoardDeleted)
    assert await names(studio, people.cy) == []


async def test_an_image_that_moves_is_told_to_each_as_far_as_they_see(studio: Studio, people: People) -> None:
    """Bo sees where it was, Cy where it is; neither learns of the other's board."""
    before, after = await board(studio, people.ana), await board(studio, people.ana)
    async with studio.begin(people.ana) as work:
        await work.shares.grant(before, ["bo"], "read")
        await work.shares.grant(after, ["cy"], "read")
    await save(studio, people.ana, "fox.png", before)
    async with studio.begin(people.ana) as work:
        await work.images.put_on_board(["fox.png"], after)
    moved = {who.user_id: await last(studio, who) for who in (people.ana, people.bo, people.cy, people.root)}
    ways = {who: (event.from_board_id, event.board_id) for who, event in moved.items() if isinstance(event, library.ImageMoved)}
    assert ways == {"ana": (before, after), "bo": (before, None), "cy": (None, after), "root": (before, after)}


async def test_workflows_are_told_to_everybody_while_they_are_public(studio: Studio, people: People) -> None:
    """Who saw one that is not any more hears just that."""
    document = (
        '{"name": "Foxes", "author": "", "description": "", "version": "", "contact": "", "tags": "", "notes": "",'
        ' "exposedFields": [], "meta": {"version": "3.0.0", "category": "user"}, "nodes": [], "edges": []}'
    )
    async with studio.begin(people.ana) as work:
        workflow_id = (await work.workflows.create(document)).workflow_id
    assert await names(studio, people.bo) == []
    for public, told in ((True, "workflow_updated"), (False, "workflow_access_revoked")):
        async with studio.begin(people.ana) as work:
            await work.workflows.set_public(workflow_id, public)
        assert (await names(studio, people.bo))[-1] == told
    assert (await names(studio, people.ana))[-1] == "workflow_updated"


async def test_a_library_that_changes_hands_is_told_to_both(studio: Studio, people: People) -> None:
    """The receiver has to fetch everything anew."""
    await board(studio, people.ana)
    async with studio.begin(OPERATE) as work:
        await work.ownership.transfer("ana", "bo")
    await place_all(studio)
    transferred = await last(studio, people.bo)
    assert isinstance(transferred, library.LibraryTransferred)
    assert transferred.user_id == "ana"
    assert await names(studio, people.cy) == []
