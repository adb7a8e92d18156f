"""Images, videos and boards over HTTP, as their owner and as those she shares them with."""

from typing import Any

import httpx

from tests.acceptance.conftest import World


async def answer(client: httpx.AsyncClient, method: str, address: str, status: int = 200, **more: Any) -> Any:
    """The JSON that a request gets, if it gets this status."""
    got = await client.request(method, f"/api/v1/{address}", **more)
    assert got.status_code == status, got.text
    return got.json() if got.content else None


async def test_boards_come_with_counts_and_covers(world: World) -> None:
    """In InvokeAI's field names, all of them."""
    boards = await answer(world.ana, "GET", "boards/?all=true&order_by=board_name&direction=ASC")
    assert [board["board_name"] for board in boards] == ["Ana's private", "Ana's shared"]
    private = boards[0]
    times = {"created_at": private["created_at"], "updated_at": private["updated_at"]}
    assert private == times | {
        "board_id": world.private.board_id,
        "board_name": "Ana's private",
        "user_id": "ana",
        "deleted_at": None,
        "cover_image_name": None,
        "cover_video_name": "private.mp4",
        "archived": False,
        "board_visibility": "private",
        "image_count": 1,
        "video_count": 1,
        "asset_count": 0,
        "owner_username": None,
    }
    page = await answer(world.ana, "GET", "boards/?offset=1&limit=1")
    assert (page["total"], page["offset"], page["limit"], len(page["items"])) == (2, 1, 1, 1)
    assert (await answer(world.ana, "GET", "boards/?offset=0&limit=0"))["items"] == []


async def test_administrators_see_whose_a_board_is(world: World) -> None:
    """Others do not learn the owner's name."""
    address = f"boards/{world.shown.board_id}"
    assert (await answer(world.root, "GET", address))["owner_username"] == "Ana"
    assert (await answer(world.bo, "GET", address))["owner_username"] is None


async def test_a_board_lives_from_creation_to_deletion(world: World) -> None:
    """Its contents outlive it, unless they are to go with it; then their files go too."""
    board = await answer(world.ana, "POST", "boards/?board_name=Foxes", 201)
    moved = {"board_id": board["board_id"], "image_names": ["private.png", "absent.png"]}
    added = await answer(world.ana, "POST", "board_images/batch", 201, json=moved)
    assert added["added_images"] == ["private.png"]
    assert added["affected_boards"] == sorted([board["board_id"], world.private.board_id])
    address = f"boards/{board['board_id']}"
    changed = await answer(world.ana, "PATCH", address, 201, json={"board_name": "Wolves", "archived": True})
    assert (changed["board_name"], changed["archived"], changed["cover_image_name"]) == ("Wolves", True, "private.png")
    assert await answer(world.ana, "GET", f"{address}/image_names") == ["private.png"]
    assert (await answer(world.ana, "DELETE", address))["deleted_board_images"] == ["private.png"]
    await answer(world.ana, "GET", address, 404)
    assert await answer(world.ana, "GET", "boards/none/image_names") == ["private.png"]
    gone = await answer(world.ana, "DELETE", f"boards/{world.shown.board_id}?include_images=true")
    assert (gone["deleted_images"], gone["deleted_videos"]) == (["shared.png"], ["shared.mp4"])
    left = {path.name for path in world.outputs.rglob("*") if path.is_file()}
    assert left == {"private.png", "private.webp", "private.mp4", "private.json"}


async def test_an_owner_deletes_only_what_is_theirs_with_a_board(world: World) -> None:
    """What somebody else put on a public board becomes uncategorised."""
    address = f"boards/{world.shown.board_id}"
    await answer(world.ana, "PATCH", address, 201, json={"board_visibility": "public"})
    async with world.studio.begin(await world.studio.accounts.identify(_token(world.bo))) as work:
        kept: dict[str, Any] = {"origin": "internal", "category": "general", "width": 8, "height": 8}
        await work.images.save("bo.png", **kept, board_id=world.shown.board_id)
    gone = await answer(world.ana, "DELETE", f"{address}?include_images=true")
    assert gone["deleted_images"] == ["shared.png"]
    assert (await answer(world.bo, "GET", "images/i/bo.png"))["board_id"] is None


async def test_a_share_opens_a_board_for_one_user(world: World) -> None:
    """By level: read, write, and out again."""
    board = world.private.board_id
    await answer(world.bo, "GET", f"boards/{board}", 404)
    shared = await answer(world.ana, "POST", f"boards/{board}/share", 201, json={"user_ids": ["bo"], "permission": "read"})
    assert (shared[0]["user_id"], shared[0]["permission"]) == ("bo", "read")
    assert (await answer(world.bo, "GET", f"images/?board_id={board}"))["total"] == 1
    await answer(world.bo, "PATCH", "images/i/private.png", 403, json={"starred": True})
    await answer(world.ana, "POST", f"boards/{board}/share", 201, json={"user_ids": ["bo"], "permission": "write"})
    assert (await answer(world.bo, "PATCH", "images/i/private.png", json={"starred": True}))["starred"] is True
    await answer(world.bo, "DELETE", f"boards/{board}/share/bo", 204)
    await answer(world.bo, "GET", f"boards/{board}", 404)


async def test_lists_are_filtered_and_counted(world: World) -> None:
    """Images, videos and both in one stream, by board, search and star."""
    starred = await answer(world.ana, "POST", "images/star", json={"image_names": ["private.png", "absent.png"]})
    assert starred == {
        "starred_images": ["private.png"],
        "failed_images": [],
        "affected_boards": [world.private.board_id],
    }
    names = await answer(world.ana, "GET", "images/names")
    assert names == {"image_names": ["private.png", "shared.png"], "starred_count": 1, "total_count": 2}
    assert (await answer(world.ana, "GET", "images/?search_term=PRIVATE FOX"))["total"] == 1
    assert await answer(world.ana, "GET", "images/?limit=0") == {"limit": 0, "offset": 0, "total": 2, "items": []}
    items = await answer(world.ana, "GET", f"gallery/items/?board_id={world.private.board_id}")
    assert [(item["kind"], item["name"]) for item in items["items"]] == [("image", "private.png"), ("video", "private.mp4")]
    assert items["items"][1]["full_url"] == "api/v1/videos/i/private.mp4/full"
    refs = await answer(world.ana, "GET", "gallery/items/names")
    assert (refs["starred_count"], refs["total_count"]) == (1, 4)
    flat = await answer(world.ana, "GET", "gallery/item_names?starred_first=false&order_dir=ASC")
    assert flat["item_names"] == [ref["name"] for ref in sorted(refs["items"], key=_made_order)]
    dates = await answer(world.ana, "GET", "virtual_boards/by_date")
    assert [(date["image_count"], date["video_count"]) for date in dates] == [(2, 2)]
    of_date = await answer(world.ana, "GET", f"virtual_boards/by_date/{dates[0]['date']}/image_names")
    assert of_date == names
    assert await answer(world.bo, "GET", "virtual_boards/by_date") == []


async def test_images_by_names_keep_the_order_of_the_names(world: World) -> None:
    """Without those that are not there or not to be seen."""
    asked = {"image_names": ["shared.png", "absent.png", "private.png"]}
    assert [image["image_name"] for image in await answer(world.ana, "POST", "images/images_by_names", json=asked)] == [
        "shared.png",
        "private.png",
    ]
    assert [image["image_name"] for image in await answer(world.bo, "POST", "images/images_by_names", json=asked)] == [
        "shared.png"
    ]


async def test_an_image_tells_what_it_is_and_was_made_from(world: World) -> None:
    """Record, metadata, addresses, and what is written in its file."""
    image = await answer(world.ana, "GET", "images/i/private.png")
    assert (image["image_origin"], image["image_category"], image["has_workflow"]) == ("internal", "general", True)
    assert image["board_id"] == world.private.board_id
    assert await answer(world.ana, "GET", "images/i/private.png/metadata") == {"positive_prompt": "a private fox"}
    assert await answer(world.ana, "GET", "videos/i/private.mp4/metadata") is None
    made_from = {"workflow": '{"name": "drawn"}', "graph": '{"id": "g"}'}
    assert await answer(world.ana, "GET", "images/i/private.png/workflow") == made_from
    assert await answer(world.ana, "GET", "videos/i/private.mp4/workflow") == {"workflow": '{"name": "filmed"}', "graph": None}


async def test_without_files_nothing_is_known_of_what_a_video_was_made_from(world: World) -> None:
    """That is an answer; an image, whose file is the only place to look, is an error."""
    for file in ("images/private.png", "videos/private.mp4", "videos/sidecars/private.json"):
        (world.outputs / file).unlink()
    assert await answer(world.ana, "GET", "videos/i/private.mp4/workflow") == {"workflow": None, "graph": None}
    await answer(world.ana, "GET", "images/i/private.png/workflow", 404)


async def test_deleting_takes_record_and_files(world: World) -> None:
    """One by one, in bulk, and what is on no board."""
    deleted = await answer(world.ana, "DELETE", "images/i/private.png")
    assert deleted["deleted_images"] == ["private.png"]
    await answer(world.ana, "GET", "images/i/private.png", 404)
    assert not (world.outputs / "images/private.png").exists()
    assert not (world.outputs / "images/thumbnails/private.webp").exists()
    removed = await answer(world.ana, "DELETE", "videos/board", json={"video_name": "private.mp4"})
    assert removed["removed_videos"] == ["private.mp4"]
    assert (await answer(world.ana, "DELETE", "videos/uncategorized"))["deleted_videos"] == ["private.mp4"]
    assert not (world.outputs / "videos/sidecars/private.json").exists()
    assert (await answer(world.root, "DELETE", "images/intermediates")) == 0


def _made_order(ref: dict[str, str]) -> tuple[bool, bool]:
    return ref["name"].startswith("shared"), ref["kind"] == "video"


def _token(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")
