"""Models and their relationships, on both databases and in both modes."""

import json
from functools import partial
from typing import Any, get_args

import pytest

from tenantry import Principal
from tenantry.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tenantry.repositories import Model, Page, UnitOfWork
from tenantry.repositories.models import ModelOrder
from tests.integration.conftest import Mode, People


def config(key: str, **members: Any) -> str:
    """A configuration, spaced so that a rewritten one would differ."""
    model = {
        "key": key,
        "hash": "blake3:1",
        "base": "sdxl",
        "type": "main",
        "path": f"sdxl/main/{key}",
        "format": "checkpoint",
        "name": key,
        "source": "https://example.com/m",
        "source_type": "url",
        "description": None,
        "file_size": 7,
    }
    return json.dumps(model | members, indent=1)


async def add(mode: Mode, who: Principal, key: str, **members: Any) -> Model:
    return await mode.write(who, lambda work: work.models.add(config(key, **members)))


async def found(mode: Mode, who: Principal, **asked: Any) -> list[str]:
    models = await mode.read(who, lambda work: work.models.search_by_attr(**asked))
    return [model.model_key for model in models]


async def _update(model_key: str, changes: dict[str, object], work: UnitOfWork) -> Model:
    return await work.models.update(model_key, changes)


async def _replace(model_key: str, text: str, work: UnitOfWork) -> Model:
    return await work.models.replace(model_key, text)


async def _delete(model_key: str, work: UnitOfWork) -> None:
    await work.models.delete(model_key)


async def test_a_model_is_read_back_as_it_was_added(mode: Mode, people: People) -> None:
    """By everybody, with its configuration to the byte."""
    text = config("m1", description="ü", trigger_phrases=["fox"], extra=1.50)
    made = await mode.write(people.root, lambda work: work.models.add(text))
    assert (made.config, made.name, made.description, made.file_size) == (text, "m1", "ü", 7)
    assert await mode.read(people.ana, lambda work: work.models.get("m1")) == made
    assert await mode.read(people.ana, lambda work: work.models.exists("m1"))
    assert await mode.read(people.ana, lambda work: work.models.by_path("sdxl/main/m1")) == [made]
    assert await mode.read(people.ana, lambda work: work.models.by_hash("blake3:1")) == [made]


async def test_what_is_not_there_is_not_found(mode: Mode, people: People) -> None:
    """By key with an error, by anything else with an empty list."""
    for attempt in (
        lambda work: work.models.get("no"),
        partial(_update, "no", {"name": "x"}),
        partial(_replace, "no", config("no")),
        partial(_delete, "no"),
    ):
        with pytest.raises(NotFound):
            await mode.write(people.root, attempt)
    assert not await mode.read(people.ana, lambda work: work.models.exists("no"))
    assert await mode.read(people.ana, lambda work: work.models.by_path("no")) == []
    assert await mode.read(people.ana, lambda work: work.models.by_hash("no")) == []
    assert await mode.read(people.ana, lambda work: work.models.all()) == []


async def test_path_and_key_are_taken_once(mode: Mode, people: People) -> None:
    """Name, base and type may repeat; the error says which of the two was taken."""
    made = await add(mode, people.root, "m1", name="fox")
    await add(mode, people.root, "m2", name="fox")
    for key, members, field in (("m1", {"path": "other"}, "key"), ("m3", {"path": made.path}, "path")):
        with pytest.raises(Conflict) as caught:
            await add(mode, people.root, key, **members)
        assert caught.value.field == field
    with pytest.raises(Conflict):
        await mode.write(people.root, partial(_update, "m2", {"path": made.path}))
    assert await found(mode, people.ana, model_name="fox") == ["m1", "m2"]


async def test_a_change_touches_the_members_that_are_given(mode: Mode, people: People) -> None:
    """None is a value; replacing puts another configuration there; the key never changes."""
    made = await add(mode, people.root, "m1", description="red", default_settings={"steps": 3})
    changed = await mode.write(people.root, partial(_update, "m1", {"name": "fox", "description": None}))
    assert (changed.name, changed.description, changed.created_at) == ("fox", None, made.created_at)
    assert json.loads(changed.config)["default_settings"] == {"steps": 3}
    assert changed.updated_at > made.updated_at
    text = config("m1", type="lora")
    replaced = await mode.write(people.root, partial(_replace, "m1", text))
    assert (replaced.config, replaced.type, replaced.created_at) == (text, "lora", made.created_at)
    for attempt in (partial(_update, "m1", {"key": "m2"}), partial(_replace, "m1", config("m2"))):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(people.root, attempt)
        assert caught.value.field == "key"


async def test_only_administrators_change_models(mode: Mode, people: People) -> None:
    """A tenant is told so, whether the model is there or not, and nothing changes."""
    made = await add(mode, people.root, "m1")
    await add(mode, people.root, "m2")
    for attempt in (
        lambda work: work.models.add(config("m3")),
        partial(_update, "m1", {"name": "x"}),
        partial(_replace, "m1", config("m1", name="x")),
        partial(_delete, "m1"),
        partial(_delete, "no"),
        lambda work: work.model_relationships.add("m1", "m2"),
        lambda work: work.model_relationships.remove("m1", "m2"),
    ):
        with pytest.raises(NotAllowed):
            await mode.write(people.ana, attempt)
    assert await mode.read(people.ana, lambda work: work.models.get("m1")) == made
    assert await found(mode, people.ana) == ["m1", "m2"]


async def test_models_are_found_by_exact_attributes(mode: Mode, people: People) -> None:
    """All that are asked must agree, letter by letter."""
    await add(mode, people.root, "m1", name="fox")
    await add(mode, people.root, "m2", name="Fox", type="lora", base="flux")
    await add(mode, people.root, "m3", name="fox", format="diffusers")
    assert await found(mode, people.ana, model_name="fox") == ["m1", "m3"]
    assert await found(mode, people.ana, model_name="fox", model_format="diffusers") == ["m3"]
    assert await found(mode, people.ana, base_model="flux", model_type="lora") == ["m2"]
    assert await found(mode, people.ana, model_name="fo") == []


async def test_models_are_ordered_in_either_direction_and_page_by_page(mode: Mode, people: People) -> None:
    """By default by type, base and name without regard to case, then format; ties by age."""
    await add(mode, people.root, "m1", name="b", file_size=1)
    await add(mode, people.root, "m2", name="B", file_size=3, format="a")
    await add(mode, people.root, "m3", name="a", file_size=2)
    await add(mode, people.root, "m4", name="z", base="Flux")
    await add(mode, people.root, "m5", type="lora")
    assert await found(mode, people.ana) == ["m5", "m4", "m3", "m2", "m1"]
    assert (await found(mode, people.ana, order_by="size"))[:3] == ["m1", "m3", "m2"]
    assert await found(mode, people.ana, order_by="type") == ["m5", "m1", "m2", "m3", "m4"]
    for order_by in get_args(ModelOrder):
        ascending = await found(mode, people.ana, order_by=order_by)
        assert await found(mode, people.ana, order_by=order_by, descending=True) == ascending[::-1]
        page = await mode.read(people.ana, partial(_page, order_by))
        assert ([model.model_key for model in page.items], page.total) == (ascending[1:3], 5)


async def _page(order_by: ModelOrder, work: UnitOfWork) -> Page[Model]:
    return await work.models.page(offset=1, limit=2, order_by=order_by)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "x" * 301}, "key"),
        ({"name": "x" * 301}, "name"),
        ({"name": None}, "name"),
        ({"hash": "a\0"}, "hash"),
        ({"path": "x" * 2501}, "path"),
        ({"path": 3}, "path"),
        ({"description": 3}, "description"),
        ({"file_size": None}, "file_size"),
        ({"file_size": True}, "file_size"),
        ({"file_size": -1}, "file_size"),
        ({"file_size": 2**63}, "file_size"),
    ],
)
async def test_a_configuration_that_cannot_be_is_refused(
    mode: Mode, people: People, members: dict[str, Any], field: str
) -> None:
    """The error names the member."""
    with pytest.raises(InvalidInput) as caught:
        await add(mode, people.root, **{"key": "m1", **members})
    assert caught.value.field == field
    assert await found(mode, people.root) == []


async def test_what_is_no_configuration_or_order_is_refused(mode: Mode, people: People) -> None:
    """Neither JSON, nor an object, nor a list that exists."""
    await add(mode, people.root, "m1")
    for text in ("{", "[]", "\0"):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(people.root, partial(_replace, "m1", text))
        assert caught.value.field == "config"
    with pytest.raises(InvalidInput):
        await mode.write(people.root, partial(_update, "m1", {"name": {1, 2}}))
    with pytest.raises(InvalidInput):
        await found(mode, people.root, order_by="config")
    with pytest.raises(InvalidInput):
        await mode.read(people.root, lambda work: work.models.page(limit=0))


async def test_relationships_have_no_direction_and_go_with_their_models(mode: Mode, people: People) -> None:
    """Made twice they are one; removed twice they are gone."""
    for key in ("m1", "m2", "m3", "m4"):
        await add(mode, people.root, key)
    for one, other in (("m2", "m1"), ("m1", "m2"), ("m3", "m1"), ("m3", "m4")):
        await mode.write(people.root, partial(_relate, one, other))
    assert await related(mode, people.ana, "m1") == ["m2", "m3"]
    assert await related(mode, people.ana, "m2") == ["m1"]
    assert await related(mode, people.ana, "m1", "m3") == ["m1", "m2", "m3", "m4"]
    assert await related(mode, people.ana, "no") == await related(mode, people.ana) == []
    for _ in range(2):
        await mode.write(people.root, lambda work: work.model_relationships.remove("m1", "m2"))
    await mode.write(people.root, partial(_delete, "m4"))
    assert await related(mode, people.ana, "m1", "m3") == ["m1", "m3"]


async def related(mode: Mode, who: Principal, *keys: str) -> list[str]:
    if len(keys) == 1:
        return await mode.read(who, lambda work: work.model_relationships.related(keys[0]))
    return await mode.read(who, lambda work: work.model_relationships.related_to_any(list(keys)))


async def _relate(one: str, other: str, work: UnitOfWork) -> None:
    await work.model_relationships.add(one, other)


async def test_only_two_models_that_are_there_can_be_related(mode: Mode, people: People) -> None:
    """Not one with itself, and not with one that nobody knows."""
    await add(mode, people.root, "m1")
    with pytest.raises(InvalidInput):
        await mode.write(people.root, partial(_relate, "m1", "m1"))
    with pytest.raises(NotFound):
        await mode.write(people.root, partial(_relate, "m1", "no"))
    assert await related(mode, people.root, "m1") == []
