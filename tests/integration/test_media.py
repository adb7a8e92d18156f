"""Images, videos and the gallery, on both databases and in both modes."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tenantry import Principal
from tenantry.errors import Conflict, InvalidCursor, InvalidInput, NotAllowed, NotFound
from tenantry.repositories import UNCATEGORIZED, MediaItem, MediaQuery, UnitOfWork
from tests.integration.conftest import Mode, People, Ticking

IMAGE: dict[str, Any] = {"origin": "internal", "category": "general", "width": 64, "height": 48}


async def save(mode: Mode, who: Principal, name: str, kind: str = "images", **fields: Any) -> str:
    """Save an item of `who`'s; answers its creation time."""
    return await mode.write(who, lambda work: getattr(work, kind).save(name, **{**IMAGE, **fields}))


async def names(mode: Mode, who: Principal, query: MediaQuery, kind: str = "images") -> list[str]:
    """The names of a list, the long way round: pages, cursors and the list of names must agree."""
    page: list[MediaItem] = (await mode.read(who, lambda work: getattr(work, kind).page(query, limit=1000))).items
    assert await mode.read(who, partial(_by_pages, query, kind)) == page
    found: list[str] = (await mode.read(who, lambda work: getattr(work, kind).names(query))).names
    assert [item.name for item in page] == found
    assert await mode.read(who, partial(_walk, query, kind)) == found
    return found


async def _by_pages(query: MediaQuery, kind: str, work: UnitOfWork) -> list[MediaItem]:
    lists = getattr(work, kind)
    first = await lists.page(query, limit=2)
    parts = [await lists.page(query, offset=offset, limit=2) for offset in range(0, first.total + 2, 2)]
    return [item for part in parts for item in part.items]


async def _walk(query: MediaQuery, kind: str, work: UnitOfWork) -> list[str]:
    lists = getattr(work, kind)
    part = await lists.slice(query, limit=2)
    walked = list(part.items)
    while part.next_cursor is not None:
        part = await lists.slice(query, cursor=part.next_cursor, limit=2)
        walked += part.items
    return [item.name for item in walked]


async def test_a_saved_image_is_read_back_as_it_was(mode: Mode, people: People) -> None:
    """Its metadata comes back byte for byte, and saving it again changes nothing."""
    text = '{"prompt": "a fox",  "n": 1e3}'
    created = await save(mode, people.ana, "fox.png", metadata=text, starred=True, session_id="s1")
    item = await mode.read(people.ana, lambda work: work.images.get("fox.png"))
    assert (item.kind, item.user_id, item.starred, item.created_at) == ("image", "ana", True, created)
    assert await mode.read(people.ana, lambda work: work.images.metadata("fox.png")) == text
    assert await save(mode, people.ana, "fox.png", width=1) == created
    assert (await mode.read(people.ana, lambda work: work.images.get("fox.png"))).width == 64


async def test_a_private_image_is_nobody_elses(mode: Mode, people: People) -> None:
    """A stranger can neither read nor change it, nor learn anything but that a name is taken."""
    await save(mode, people.ana, "fox.png", metadata="{}")
    with pytest.raises(NotFound):
        await mode.write(people.bo, lambda work: work.images.get("fox.png"))
    with pytest.raises(NotFound):
        await mode.write(people.bo, lambda work: work.images.metadata("fox.png"))
    with pytest.raises(NotFound):
        await mode.write(people.bo, lambda work: work.images.update("fox.png"))
    assert not await mode.read(people.bo, lambda work: work.images.exists("fox.png"))
    assert await mode.write(people.bo, lambda work: work.images.delete(["fox.png"])) == []
    assert await mode.write(people.bo, lambda work: work.images.star(["fox.png"])) == []
    assert await mode.read(people.bo, lambda work: work.images.many(["fox.png"])) == []
    with pytest.raises(Conflict):
        await save(mode, people.bo, "fox.png")
    assert await names(mode, people.bo, MediaQuery()) == []
    assert await names(mode, people.root, MediaQuery()) == ["fox.png"]


async def test_starred_come_first_then_the_newest(mode: Mode, people: People) -> None:
    """The order, its reverse, and the order without stars."""
    for name, starred in (("a", False), ("b", True), ("c", False), ("d", True)):
        await save(mode, people.ana, name, starred=starred)
    assert await names(mode, people.ana, MediaQuery()) == ["d", "b", "c", "a"]
    assert await names(mode, people.ana, MediaQuery(descending=False)) == ["b", "d", "a", "c"]
    assert await names(mode, people.ana, MediaQuery(starred_first=False)) == ["d", "c", "b", "a"]
    found = await mode.read(people.ana, lambda work: work.images.names(MediaQuery()))
    assert (found.starred_count, found.total) == (2, 4)


async def test_ties_follow_insertion_for_images_and_names_for_videos(mode: Mode, people: People) -> None:
    """Items of one millisecond have an order all the same, and the gallery's is by kind and name."""
    frozen = mode.studio._clock()
    mode.studio._clock = lambda: frozen
    for name in ("m", "z", "a"):
        await save(mode, people.ana, name)
        await save(mode, people.ana, name, "videos", duration=1.5)
    assert await names(mode, people.ana, MediaQuery()) == ["a", "z", "m"]
    assert await names(mode, people.ana, MediaQuery(descending=False)) == ["m", "z", "a"]
    assert await names(mode, people.ana, MediaQuery(), "videos") == ["z", "m", "a"]
    gallery = await mode.read(people.ana, lambda work: work.gallery.item_names(MediaQuery()))
    assert gallery == [("video", "z"), ("video", "m"), ("video", "a"), ("image", "z"), ("image", "m"), ("image", "a")]
    assert await names(mode, people.ana, MediaQuery(descending=False), "gallery") == ["a", "m", "z", "a", "m", "z"]


async def test_filters_narrow_a_list(mode: Mode, people: People) -> None:
    """None is no filter, an empty tuple matches nothing."""
    await save(mode, people.ana, "general")
    await save(mode, people.ana, "mask", category="mask")
    await save(mode, people.ana, "draft", is_intermediate=True)
    await save(mode, people.ana, "upload", origin="external", category="user")
    assert await names(mode, people.ana, MediaQuery(categories=("mask", "user"))) == ["upload", "mask"]
    assert await names(mode, people.ana, MediaQuery(categories=())) == []
    assert await names(mode, people.ana, MediaQuery(is_intermediate=True)) == ["draft"]
    assert await names(mode, people.ana, MediaQuery(origin="external")) == ["upload"]
    assert await names(mode, people.ana, MediaQuery(created_on="2026-11-23", is_intermediate=False)) == [
        "upload",
        "mask",
        "general",
    ]
    assert await names(mode, people.ana, MediaQuery(created_on="2026-11-22")) == []
    with pytest.raises(InvalidInput):
        await mode.read(people.ana, lambda work: work.images.page(MediaQuery(created_on="yesterday")))


async def test_boards_show_what_others_put_on_them(mode: Mode, people: People) -> None:
    """A public board takes everybody's images; a private one shows them to its owner, who may change and remove them."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes", visibility="public"))
    await save(mode, people.ana, "a")
    await save(mode, people.bo, "b")
    on_board = MediaQuery(board=board.board_id)
    assert await mode.write(people.ana, lambda work: work.images.put_on_board(["a", "b"], board.board_id)) == ["a"]
    assert await mode.write(people.bo, lambda work: work.images.put_on_board(["a", "b"], board.board_id)) == ["b"]
    assert await names(mode, people.cy, on_board) == ["b", "a"]
    assert await names(mode, people.bo, MediaQuery(board=UNCATEGORIZED)) == []
    await mode.write(people.ana, lambda work: work.boards.update(board.board_id, visibility="private"))
    assert await names(mode, people.cy, on_board) == []
    assert await names(mode, people.bo, on_board) == []
    assert (await mode.read(people.bo, lambda work: work.images.get("b"))).user_id == "bo"
    assert await mode.write(people.ana, lambda work: work.images.star(["b"])) == ["b"]
    assert await mode.write(people.ana, lambda work: work.images.take_off_board(["b"])) == ["b"]
    assert await names(mode, people.bo, MediaQuery(board=UNCATEGORIZED)) == ["b"]
    with pytest.raises(NotFound):
        await mode.write(people.bo, lambda work: work.images.put_on_board(["b"], board.board_id))
    await mode.write(people.ana, lambda work: work.boards.update(board.board_id, visibility="shared"))
    with pytest.raises(NotAllowed):
        await mode.write(people.bo, lambda work: work.images.put_on_board(["b"], board.board_id))
    with pytest.raises(NotAllowed):
        await save(mode, people.bo, "late", board_id=board.board_id)


async def test_deleting_a_board_keeps_its_images(mode: Mode, people: People) -> None:
    """They are on no board any more, whoever made them."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes", visibility="public"))
    await save(mode, people.ana, "a", board_id=board.board_id)
    await save(mode, people.bo, "b", board_id=board.board_id)
    await mode.write(people.ana, lambda work: work.boards.update(board.board_id, cover_image_name="b"))
    await mode.write(people.ana, lambda work: work.boards.delete(board.board_id))
    for who, name in ((people.ana, "a"), (people.bo, "b")):
        assert await names(mode, who, MediaQuery(board=UNCATEGORIZED)) == [name]


async def test_a_cover_goes_with_its_image(mode: Mode, people: People) -> None:
    """A board never shows an image that is gone; an image that one may not see cannot be a cover."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    await save(mode, people.ana, "a")
    await save(mode, people.bo, "b")
    updated = await mode.write(people.ana, lambda work: work.boards.update(board.board_id, cover_image_name="a"))
    assert updated.cover_image_name == "a"
    with pytest.raises(InvalidInput):
        await mode.write(people.ana, lambda work: work.boards.update(board.board_id, cover_image_name="b"))
    await mode.write(people.ana, lambda work: work.images.delete(["a"]))
    assert (await mode.read(people.ana, lambda work: work.boards.get(board.board_id))).cover_image_name is None


async def test_summaries_count_each_board_and_choose_its_cover(mode: Mode, people: People) -> None:
    """Every board that was asked for has an entry; boards of others are empty."""
    mine = await mode.write(people.ana, lambda work: work.boards.create("Mine"))
    other = await mode.write(people.bo, lambda work: work.boards.create("Other"))
    await save(mode, people.ana, "a", board_id=mine.board_id, starred=True)
    await save(mode, people.ana, "m", board_id=mine.board_id, category="mask")
    await save(mode, people.ana, "draft", board_id=mine.board_id, is_intermediate=True)
    await save(mode, people.ana, "v", "videos", board_id=mine.board_id)
    await save(mode, people.bo, "b", board_id=other.board_id)
    asked = [mine.board_id, other.board_id, "unknown"]
    found = await mode.read(people.ana, lambda work: work.gallery.summaries(asked))
    assert list(found) == asked
    first = found[mine.board_id]
    assert (first.image_count, first.asset_count, first.video_count) == (1, 1, 1)
    assert (first.cover_kind, first.cover_name) == ("image", "a")
    assert (found[other.board_id].image_count, found[other.board_id].cover_name) == (0, None)
    recent = await mode.read(people.ana, lambda work: work.images.most_recent_of_board(mine.board_id))
    assert recent is not None
    assert recent.name == "a"


async def test_dates_count_what_one_made(mode: Mode, people: People) -> None:
    """A stranger's items are neither counted nor shown as a cover; an administrator's dates have everybody's."""
    await save(mode, people.ana, "a")
    await save(mode, people.ana, "m", category="mask")
    await save(mode, people.ana, "draft", is_intermediate=True)
    await save(mode, people.bo, "b")
    dates = await mode.read(people.ana, lambda work: work.gallery.dates())
    assert [(d.date, d.image_count, d.asset_count, d.video_count, d.cover_name) for d in dates] == [
        ("2026-11-23", 1, 1, 0, "m")
    ]
    everybody = await mode.read(people.root, lambda work: work.gallery.dates())
    assert (everybody[0].image_count, everybody[0].cover_name) == (2, "b")


async def test_dates_of_one_kind_leave_the_other_out(mode: Mode, people: People) -> None:
    """A newer item of the other kind is neither counted nor the cover, and a date that has nothing else is missing."""
    await save(mode, people.ana, "a")
    await save(mode, people.ana, "film", "videos", duration=1.0)
    (date,) = await mode.read(people.ana, lambda work: work.gallery.dates(kind="image"))
    assert (date.image_count, date.video_count, date.cover_kind, date.cover_name) == (1, 0, "image", "a")
    (date,) = await mode.read(people.ana, lambda work: work.gallery.dates(kind="video"))
    assert (date.image_count, date.video_count, date.cover_kind, date.cover_name) == (0, 1, "video", "film")
    await mode.write(people.ana, lambda work: work.images.delete(["a"]))
    assert await mode.read(people.ana, lambda work: work.gallery.dates(kind="image")) == []


async def test_a_date_is_shown_for_what_remains_of_it(mode: Mode, people: People, clock: Ticking) -> None:
    """A day on which only intermediates were made is left out, and those before and after it are not."""
    for name, is_intermediate in (("first", False), ("draft", True), ("last", False)):
        await save(mode, people.ana, name, is_intermediate=is_intermediate)
        clock.now += timedelta(days=40)
    newest_first = [(date.date, date.cover_name) for date in await mode.read(people.ana, lambda work: work.gallery.dates())]
    assert newest_first == [("2027-02-11", "last"), ("2026-11-23", "first")]
    oldest_first = await mode.read(people.ana, lambda work: work.gallery.dates(descending=False))
    assert [date.cover_name for date in oldest_first] == ["first", "last"]


async def test_intermediates_are_counted_and_deleted_by_their_owner(mode: Mode, people: People) -> None:
    """An item that is no intermediate any more is kept."""
    await save(mode, people.ana, "draft", is_intermediate=True, subfolder="x")
    await save(mode, people.ana, "kept", is_intermediate=True)
    await save(mode, people.bo, "other", is_intermediate=True)
    assert await mode.read(people.ana, lambda work: work.images.intermediates()) == [("draft", "x"), ("kept", "")]
    assert await mode.read(people.root, lambda work: work.images.count_intermediates()) == 3
    await mode.write(people.ana, lambda work: work.images.update("kept", is_intermediate=False))
    gone = await mode.write(people.ana, lambda work: work.images.delete_intermediates(["other", "kept", "draft"]))
    assert gone == ["draft"]


async def test_a_cursor_fits_one_list_only(mode: Mode, people: People) -> None:
    """A cursor of other filters or of another list is refused."""
    for name in "abc":
        await save(mode, people.ana, name)
    cursor = (await mode.read(people.ana, lambda work: work.images.slice(MediaQuery(), limit=1))).next_cursor
    with pytest.raises(InvalidCursor):
        await mode.read(people.ana, lambda work: work.images.slice(MediaQuery(starred_first=False), cursor=cursor))
    with pytest.raises(InvalidCursor):
        await mode.read(people.ana, lambda work: work.images.slice(MediaQuery(board="x"), cursor=cursor))
    with pytest.raises(InvalidCursor):
        await mode.read(people.ana, lambda work: work.gallery.slice(MediaQuery(), cursor=cursor))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metadata": "{"}, "metadata"),
        ({"metadata": '{"a": "\0"}'}, "metadata"),
        ({"width": -1}, "width"),
        ({"height": 2**31}, "height"),
        ({"category": ""}, "category"),
        ({"session_id": "x" * 301}, "session_id"),
        ({"duration": 1.0}, "duration"),
        ({"fps": float("nan")}, "fps"),
    ],
)
async def test_a_field_that_cannot_be_is_named(mode: Mode, people: People, fields: dict[str, Any], field: str) -> None:
    """Nothing is saved."""
    with pytest.raises(InvalidInput) as caught:
        await save(mode, people.ana, "fox.png", **fields)
    assert caught.value.field == field
    assert await names(mode, people.ana, MediaQuery()) == []
