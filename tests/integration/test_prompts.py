"""System prompts, on both databases and in both modes."""

from functools import partial
from typing import Any

import pytest

from tenantry import Principal
from tenantry.errors import InvalidInput, NotAllowed, NotFound
from tenantry.repositories import Prompt, UnitOfWork
from tests.integration.conftest import Mode, People


async def create(mode: Mode, who: Principal, name: str = "Poet", content: str = "Write.", **fields: Any) -> Prompt:
    return await mode.write(who, lambda work: work.prompts.create(name, content, **fields))


async def names(mode: Mode, who: Principal) -> list[str]:
    return [prompt.name for prompt in await mode.read(who, lambda work: work.prompts.all())]


async def _update(prompt_id: str, changes: dict[str, Any], work: UnitOfWork) -> Prompt:
    return await work.prompts.update(prompt_id, **changes)


async def _delete(prompt_id: str, work: UnitOfWork) -> None:
    await work.prompts.delete(prompt_id)


async def test_a_prompt_is_read_back_as_it_was_stored(mode: Mode, people: People) -> None:
    """A change touches what is given and nothing else."""
    made = await create(mode, people.ana)
    assert made == await mode.read(people.ana, lambda work: work.prompts.get(made.prompt_id))
    assert (made.user_id, made.is_public) == ("ana", False)
    changed = await mode.write(people.ana, partial(_update, made.prompt_id, {"content": "Sing."}))
    assert (changed.name, changed.content, changed.created_at) == ("Poet", "Sing.", made.created_at)
    assert changed.updated_at > made.updated_at


async def test_a_private_prompt_is_nobody_elses(mode: Mode, people: People) -> None:
    """A stranger can neither read, change nor delete it; an administrator can."""
    made = await create(mode, people.ana)
    for attempt in (
        lambda work: work.prompts.get(made.prompt_id),
        partial(_update, made.prompt_id, {"name": "Mine"}),
        partial(_delete, made.prompt_id),
    ):
        with pytest.raises(NotFound):
            await mode.write(people.bo, attempt)
    assert await names(mode, people.bo) == []
    assert (await mode.write(people.root, partial(_update, made.prompt_id, {"name": "Bard"}))).user_id == "ana"
    await mode.write(people.ana, partial(_delete, made.prompt_id))
    with pytest.raises(NotFound):
        await mode.write(people.ana, partial(_delete, made.prompt_id))


async def test_a_public_prompt_is_read_by_all_and_changed_by_its_owner(mode: Mode, people: People) -> None:
    """Others are told that they may not, since they see it."""
    made = await create(mode, people.ana, is_public=True)
    assert await mode.read(people.bo, lambda work: work.prompts.get(made.prompt_id)) == made
    for attempt in (partial(_update, made.prompt_id, {"is_public": False}), partial(_delete, made.prompt_id)):
        with pytest.raises(NotAllowed):
            await mode.write(people.bo, attempt)
    await mode.write(people.ana, partial(_update, made.prompt_id, {"is_public": False}))
    assert await names(mode, people.bo) == []


async def test_prompts_are_listed_by_name_without_regard_to_case(mode: Mode, people: People) -> None:
    """Own and public ones together; everybody's for an administrator; a new studio has none."""
    assert await names(mode, people.root) == []
    for name in ("b", "C", "a"):
        await create(mode, people.ana, name)
    await create(mode, people.bo, "B", is_public=True)
    await create(mode, people.bo, "hidden")
    assert await names(mode, people.ana) == ["a", "b", "B", "C"]
    assert await names(mode, people.root) == ["a", "b", "B", "C", "hidden"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 301}, "name"),
        ({"name": "a\0"}, "name"),
        ({"content": ""}, "content"),
        ({"content": "a\0"}, "content"),
        ({"content": "\ud800"}, "content"),
    ],
)
async def test_a_prompt_that_cannot_be_is_refused_and_changes_nothing(
    mode: Mode, people: People, fields: dict[str, str], field: str
) -> None:
    """The error names the field, at creation and at change."""
    made = await create(mode, people.ana)
    for attempt in (
        lambda work: work.prompts.create(**{"name": "Poet", "content": "Write.", **fields}),
        partial(_update, made.prompt_id, fields),
    ):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(people.ana, attempt)
        assert caught.value.field == field
    assert await mode.read(people.ana, lambda work: work.prompts.all()) == [made]
