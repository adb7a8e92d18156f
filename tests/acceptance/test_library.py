"""Workflows, style presets, system prompts and client state over HTTP."""

import json

from tests.acceptance.conftest import WORKFLOW, World
from tests.acceptance.test_media import answer


async def test_a_workflow_lives_from_creation_to_deletion(world: World) -> None:
    """It is private until its owner shows it, and its id is in its document."""
    made = await answer(world.ana, "POST", "workflows/", json={"workflow": {**WORKFLOW, "name": "Otters", "junk": 1}})
    assert made["workflow"] == {**WORKFLOW, "name": "Otters", "id": made["workflow_id"], "form": None}
    assert (made["user_id"], made["is_public"], made["opened_at"]) == ("ana", False, None)
    address = f"workflows/i/{made['workflow_id']}"
    await answer(world.bo, "GET", address, 404)
    assert (await answer(world.ana, "PATCH", f"{address}/is_public", json={"is_public": True}))["is_public"] is True
    assert (await answer(world.bo, "GET", address))["thumbnail_url"] is None
    renamed = {"workflow": {**made["workflow"], "name": "Beavers"}}
    assert (await answer(world.ana, "PATCH", address, json=renamed))["name"] == "Beavers"
    await answer(world.ana, "PUT", f"{address}/opened_at")
    assert (await answer(world.ana, "GET", address))["opened_at"] is not None
    await answer(world.ana, "DELETE", address)
    await answer(world.ana, "GET", address, 404)


async def test_the_library_lists_what_is_asked_for(world: World) -> None:
    """One's own; what others show only when it is asked for; everything for administrators."""
    mine = await answer(world.ana, "GET", "workflows/?page=0&per_page=1")
    assert (mine["total"], mine["pages"], mine["per_page"], len(mine["items"])) == (2, 2, 1, 1)
    assert mine["items"][0]["category"] == "user"
    assert (await answer(world.bo, "GET", "workflows/"))["total"] == 0
    shown = await answer(world.bo, "GET", "workflows/?is_public=true")
    assert [item["workflow_id"] for item in shown["items"]] == [world.shown.workflow_id]
    assert (await answer(world.root, "GET", "workflows/"))["total"] == 2
    assert (await answer(world.ana, "GET", "workflows/?query=dusk&tags=fox&has_been_opened=false"))["total"] == 2
    assert await answer(world.ana, "GET", "workflows/counts_by_tag?tags=fox&tags=owl") == {"fox": 2, "owl": 0}
    assert await answer(world.ana, "GET", "workflows/counts_by_category?categories=user&categories=default") == {
        "user": 2,
        "default": 0,
    }
    assert {"fox", "dusk"} <= set(await answer(world.ana, "GET", "workflows/tags"))
    assert await answer(world.bo, "GET", "workflows/tags") == []


async def test_a_workflow_from_before_forms_has_none(world: World) -> None:
    """Clients find the member null in a document that lacks it, as InvokeAI answers."""
    shown = await answer(world.bo, "GET", f"workflows/i/{world.shown.workflow_id}")
    assert shown["workflow"] == {**WORKFLOW, "id": world.shown.workflow_id, "form": None}


async def test_style_presets_are_written_by_forms(world: World) -> None:
    """As InvokeAI's clients do; what is wrong in the text inside is named by its place."""
    data = {"name": "Ink", "positive_prompt": "{prompt}, ink", "negative_prompt": "oil", "type": "user"}
    made = await answer(world.ana, "POST", "style_presets/", data={"data": json.dumps(data)})
    assert made["preset_data"] == {"positive_prompt": "{prompt}, ink", "negative_prompt": "oil"}
    assert (made["type"], made["is_public"], made["image"], made["user_id"]) == ("user", False, None, "ana")
    address = f"style_presets/i/{made['id']}"
    changed = {**data, "name": "Chalk", "is_public": True}
    assert (await answer(world.ana, "PATCH", address, data={"data": json.dumps(changed)}))["name"] == "Chalk"
    assert [preset["name"] for preset in await answer(world.bo, "GET", "style_presets/")] == ["Chalk", "shared ink"]
    broken = await answer(world.ana, "POST", "style_presets/", 422, data={"data": '{"name": 1}'})
    assert broken["field"] == "data.name"
    assert (await answer(world.ana, "POST", "style_presets/", 422, data={"data": "{"}))["field"] == "data"
    default = {"data": json.dumps({**data, "type": "default"})}
    await answer(world.ana, "POST", "style_presets/", 403, data=default)
    assert (await answer(world.root, "POST", "style_presets/", data=default))["type"] == "default"
    picture = {"image": ("a.png", b"x", "image/png")}
    await answer(world.ana, "POST", "style_presets/", 415, data={"data": json.dumps(data)}, files=picture)
    await answer(world.ana, "DELETE", address)
    await answer(world.ana, "GET", address, 404)


async def test_system_prompts_are_ones_own_until_shown(world: World) -> None:
    """Others see what their owner shows."""
    made = await answer(world.ana, "POST", "system_prompts/", json={"name": "Terse", "content": "Be terse."})
    address = f"system_prompts/i/{made['id']}"
    await answer(world.bo, "GET", address, 404)
    await answer(world.ana, "PATCH", address, json={"is_public": True})
    assert (await answer(world.bo, "GET", address))["content"] == "Be terse."
    assert (await answer(world.ana, "PATCH", address, 422, json={"owner": "bo"}))["field"] == "body.owner"
    await answer(world.ana, "DELETE", address)
    assert [prompt["name"] for prompt in await answer(world.bo, "GET", "system_prompts/")] == ["shared brevity"]


async def test_client_state_is_ones_own(world: World) -> None:
    """The same key is another value for another user."""
    value = json.dumps({"zoom": 2})
    assert await answer(world.bo, "POST", "client_state/default/set_by_key?key=canvas", json=value) == value
    assert await answer(world.ana, "GET", "client_state/default/get_by_key?key=canvas") == "shared canvas"
    assert await answer(world.bo, "GET", "client_state/other/get_by_key?key=canvas") == value
    assert await answer(world.bo, "GET", "client_state/default/get_keys_by_prefix?prefix=can") == ["canvas"]
    await answer(world.bo, "POST", "client_state/default/delete_by_key?key=canvas")
    assert await answer(world.bo, "GET", "client_state/default/get_by_key?key=canvas") is None
    await answer(world.bo, "POST", "client_state/default/delete")
    assert await answer(world.ana, "GET", "client_state/default/get_by_key?key=canvas") == "shared canvas"
