"""What an import may bring and nobody else: the server shows the rest, and never fails as a whole."""

import pytest
import sqlalchemy as sa

from tenantry import Principal
from tenantry.database.tables import media, style_presets, system_prompts, users, workflows
from tenantry.tenancy import InternalReason
from tests.acceptance.conftest import WORKFLOW, World

DEEP = '{"a":' + "[" * 400 + "]" * 400 + "}"


async def store(world: World, change: sa.Update) -> None:
    """Write as an import does, past every check of a repository."""
    async with world.studio.begin(Principal.internal(InternalReason.IMPORT)) as work:
        assert await work.ground.connection.execute(change)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "\\ud800"}', DEEP], ids=["broken", "list", "surrogate", "deep"])
async def test_documents_that_cannot_be_sent_are_left_out(world: World, text: str) -> None:
    """Metadata is null then, a workflow and a preset are empty."""
    await store(world, sa.update(media).values(metadata=text))
    await store(world, sa.update(workflows).values(document=text))
    await store(world, sa.update(style_presets).where(style_presets.c.is_public).values(preset_data=text))
    for kind, name in (("images", world.shown.image_name), ("videos", world.shown.video_name)):
        answer = await world.bo.get(f"/api/v1/{kind}/i/{name}/metadata")
        assert (answer.status_code, answer.json()) == (200, None)
    shown = await world.bo.get(f"/api/v1/workflows/i/{world.shown.workflow_id}")
    assert (shown.status_code, shown.json()["name"], shown.json()["workflow"]) == (200, WORKFLOW["name"], {"form": None})
    presets = await world.ana.get("/api/v1/style_presets/")
    assert [preset["preset_data"]["positive_prompt"] for preset in presets.json()] == ["ink", ""]


async def test_a_category_of_an_older_release_is_a_users(world: World) -> None:
    """One such workflow does not take the others out of everybody's list."""
    await store(world, sa.update(workflows).where(workflows.c.is_public).values(category="project"))
    answer = await world.bo.get("/api/v1/workflows/?is_public=true")
    assert [workflow["category"] for workflow in answer.json()["items"]] == ["user"]


async def test_a_time_that_is_none_does_not_keep_anybody_out(world: World) -> None:
    """Neither its user out of the studio, nor others from their list."""
    await store(world, sa.update(system_prompts).values(created_at="", updated_at="yesterday"))
    assert len((await world.ana.get("/api/v1/system_prompts/")).json()) == 2
    await store(world, sa.update(users).where(users.c.user_id == "bo").values(created_at="", last_login_at="never"))
    me = await world.bo.get("/api/v1/auth/me")
    assert (me.status_code, me.json()["created_at"]) == (200, "1970-01-01T00:00:00")


async def test_a_name_longer_than_files_have_is_a_file_that_is_not_there(world: World) -> None:
    """As for every other record without a file."""
    name = "x" * 296 + ".png"
    async with world.studio.begin(Principal("ana")) as work:
        await work.images.save(name, origin="internal", category="general", width=8, height=8)
    for place in ("full", "thumbnail", "workflow"):
        answer = await world.ana.get(f"/api/v1/images/i/{name}/{place}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
