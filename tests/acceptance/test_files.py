"""Files over HTTP: who gets them, how, and that no name leads out of their folder."""

from pathlib import Path
from typing import Any

import pytest

from tenantry import Principal
from tests.acceptance.conftest import PASSWORD, World, client_of

FULL = "/api/v1/images/i/private.png/full"


async def test_a_picture_loads_by_the_cookie_alone(world: World) -> None:
    """`<img>` sends no header; and the cookie opens files only."""
    browser = client_of(world.app)
    login = await browser.post("/api/v1/auth/login", json={"email": "ana@example.com", "password": PASSWORD})
    cookie = login.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    full = await browser.get(FULL)
    assert (full.status_code, full.headers["content-type"]) == (200, "image/png")
    assert full.content == (world.outputs / "images/private.png").read_bytes()
    thumbnail = await browser.get("/api/v1/images/i/private.png/thumbnail")
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/webp")
    assert (await browser.get("/api/v1/images/i/private.png")).status_code == 401
    browser.headers["Authorization"] = f"Bearer {login.json()['token']}"
    await browser.post("/api/v1/auth/logout")
    del browser.headers["Authorization"]
    assert (await browser.get(FULL)).status_code == 401
    await browser.aclose()


async def test_a_file_is_sent_again_only_if_it_changed(world: World) -> None:
    """And is kept by nobody between the user and the server."""
    first = await world.ana.get(FULL)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await world.ana.get(FULL, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await world.ana.head(FULL)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))


async def test_a_video_is_sent_in_parts(world: World) -> None:
    """So that a player can jump."""
    part = await world.ana.get("/api/v1/videos/i/private.mp4/full", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")


async def test_a_missing_file_is_not_found(world: World) -> None:
    """Though its record is there."""
    (world.outputs / "images/private.png").unlink()
    for place in ("full", "workflow"):
        answer = await world.ana.get(f"/api/v1/images/i/private.png/{place}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("name", "subfolder"),
    [
        ("secret.png", ".."),
        ("secret.png", "a/../.."),
        ("../secret.png", ""),
        ("..", ""),
        ("secret.png", "link"),
        ("link.png", ""),
        ("thumbnails", ""),
    ],
)
async def test_no_name_leads_out_of_the_folder(world: World, name: str, subfolder: str, tmp_path: Path) -> None:
    """Whatever an imported database says, by dots or by links."""
    (world.outputs / "secret.png").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret.png").write_bytes(b"secret")
    (world.outputs / "images/link").symlink_to(tmp_path / "elsewhere")
    (world.outputs / "images/link.png").symlink_to(world.outputs / "secret.png")
    kept: dict[str, Any] = {"origin": "internal", "category": "general", "width": 8, "height": 8}
    async with world.studio.begin(Principal("ana")) as work:
        await work.images.save(name, **kept, subfolder=subfolder)
    quoted = name.replace("/", "%2F")
    answer = await world.ana.get(f"/api/v1/images/i/{quoted}/full")
    assert answer.status_code == 404
    deleted = await world.ana.post("/api/v1/images/delete", json={"image_names": [name]})
    assert deleted.json()["deleted_images"] == [name]
    assert (world.outputs / "secret.png").exists()
    assert (tmp_path / "elsewhere/secret.png").exists()


async def test_a_file_of_an_unknown_kind_is_never_shown(world: World) -> None:
    """A page that somebody called an image must not run in another's browser."""
    (world.outputs / "images/page.html").write_text("<script>alert(1)</script>")
    async with world.studio.begin(Principal("ana")) as work:
        await work.images.save("page.html", origin="internal", category="general", width=8, height=8)
    answer = await world.ana.get("/api/v1/images/i/page.html/full")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
