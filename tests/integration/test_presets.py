"""Style presets, on both databases and in both modes."""

from functools import partial
from typing import Any

import pytest

from tenantry import Principal
from tenantry.errors import InvalidInput, NotAllowed, NotFound
from tenantry.repositories import DefaultsSynced, Preset, UnitOfWork
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, People

DATA = '{"positive_prompt": "a {prompt}",  "negative_prompt": ""}'


async def create(mode: Mode, who: Principal, name: str = "Oil", data: str = DATA, **fields: Any) -> Preset:
    return await mode.write(who, lambda work: work.presets.create(name, data, **fields))


async def names(mode: Mode, who: Principal, preset_type: str | None = None) -> list[str]:
    return [preset.name for preset in await mode.read(who, lambda work: work.presets.all(preset_type))]


async def sync(mode: Mode, presets: dict[str, str]) -> DefaultsSynced:
    return await mode.write(Principal.internal(InternalReason.OPERATE), lambda work: work.presets.sync_defaults(presets))


async def _update(preset_id: str, changes: dict[str, Any], work: UnitOfWork) -> Preset:
    return await work.presets.update(preset_id, **changes)


async def _delete(preset_id: str, work: UnitOfWork) -> None:
    await work.presets.delete(preset_id)


async def test_a_preset_is_read_back_as_it_was_stored(mode: Mode, people: People) -> None:
    """Its data to the byte; a change touches what is given and nothing else."""
    made = await create(mode, people.ana)
    assert made == await mode.read(people.ana, lambda work: work.presets.get(made.preset_id))
    assert (made.user_id, made.type, made.is_public, made.preset_data) == ("ana", "user", False, DATA)
    changed = await mode.write(people.ana, partial(_update, made.preset_id, {"name": "Ink"}))
    assert (changed.name, changed.preset_data, changed.created_at) == ("Ink", DATA, made.created_at)
    assert changed.updated_at > made.updated_at


async def test_a_private_preset_is_nobody_elses(mode: Mode, people: People) -> None:
    """A stranger can neither read, change nor delete it; an administrator can."""
    made = await create(mode, people.ana)
    for attempt in (
        lambda work: work.presets.get(made.preset_id),
        partial(_update, made.preset_id, {"name": "Mine"}),
        partial(_delete, made.preset_id),
    ):
        with pytest.raises(NotFound):
            await mode.write(people.bo, attempt)
    assert await names(mode, people.bo) == []
    assert await names(mode, people.root) == ["Oil"]
    await mode.write(people.root, partial(_delete, made.preset_id))
    assert await names(mode, people.ana) == []


async def test_a_public_preset_is_read_by_all_and_changed_by_its_owner(mode: Mode, people: People) -> None:
    """Others are told that they may not, since they see it."""
    made = await create(mode, people.ana)
    await mode.write(people.ana, partial(_update, made.preset_id, {"is_public": True}))
    assert await names(mode, people.bo) == ["Oil"]
    for attempt in (partial(_update, made.preset_id, {"is_public": False}), partial(_delete, made.preset_id)):
        with pytest.raises(NotAllowed):
            await mode.write(people.bo, attempt)
    assert await names(mode, people.cy) == ["Oil"]


async def test_presets_are_listed_by_name_without_regard_to_case(mode: Mode, people: People) -> None:
    """Own, public and default ones together, or of one type alone."""
    for name in ("b", "C", "a"):
        await create(mode, people.ana, name)
    await create(mode, people.bo, "B", is_public=True)
    await sync(mode, {"default": DATA})
    assert await names(mode, people.ana) == ["a", "b", "B", "C", "default"]
    assert await names(mode, people.ana, "default") == ["default"]
    assert await names(mode, people.bo, "user") == ["B"]


async def test_default_presets_are_kept_in_step_and_keep_their_ids(mode: Mode, people: People) -> None:
    """Missing ones come, changed ones are overwritten, others go; the same again changes nothing."""
    stray = await create(mode, people.root, "stray", preset_type="default")
    assert await sync(mode, {"one": DATA, "two": DATA}) == DefaultsSynced(2, 0, 1)
    first = await mode.read(people.ana, lambda work: work.presets.all())
    assert await sync(mode, {"one": DATA, "two": DATA}) == DefaultsSynced(0, 0, 0)
    assert await mode.read(people.ana, lambda work: work.presets.all()) == first
    assert await sync(mode, {"two": "{}", "three": DATA}) == DefaultsSynced(1, 1, 1)
    second = await mode.read(people.ana, lambda work: work.presets.all())
    assert [(preset.name, preset.user_id) for preset in second] == [("three", "system"), ("two", "system")]
    assert (second[1].preset_id, second[1].preset_data) == (first[1].preset_id, "{}")
    with pytest.raises(NotFound):
        await mode.read(people.root, lambda work: work.presets.get(stray.preset_id))


async def test_defaults_are_the_administrators(mode: Mode, people: People) -> None:
    """A tenant sees them, and can neither make, change, delete nor sync them; nor can an owner who was an administrator."""
    made = await create(mode, people.root, preset_type="default")
    demoted = Principal("root")
    for who in (people.ana, demoted):
        for attempt in (
            lambda work: work.presets.create("x", DATA, preset_type="default"),
            partial(_update, made.preset_id, {"name": "x"}),
            partial(_delete, made.preset_id),
            lambda work: work.presets.sync_defaults({}),
        ):
            with pytest.raises(NotAllowed):
                await mode.write(who, attempt)
    assert await names(mode, people.ana) == ["Oil"]
    assert (await mode.write(people.root, partial(_update, made.preset_id, {"name": "Ink"}))).type == "default"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 301}, "name"),
        ({"name": "a\0"}, "name"),
        ({"data": "{"}, "preset_data"),
        ({"data": "[]"}, "preset_data"),
        ({"data": "\0"}, "preset_data"),
        ({"preset_type": "project"}, "type"),
    ],
)
async def test_a_preset_that_cannot_be_is_refused_and_changes_nothing(
    mode: Mode, people: People, fields: dict[str, Any], field: str
) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput) as caught:
        await create(mode, people.root, **fields)
    assert caught.value.field == field
    assert await names(mode, people.root) == []
