"""The workflow library, on both databases and in both modes."""

import asyncio
import json
from functools import partial
from typing import Any, get_args

import pytest

from tenantry import Principal, Studio
from tenantry.errors import Conflict, InvalidCursor, InvalidInput, NotAllowed, NotFound
from tenantry.repositories import DefaultsSynced, UnitOfWork, Workflow, WorkflowQuery, WorkflowSummary
from tenantry.repositories.workflow_lists import WorkflowOrder
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, People


def document(name: str = "Fox", *, tags: str | None = "", category: str = "user", **members: Any) -> str:
    """A workflow's document, spaced so that a rewritten one would differ."""
    return json.dumps(
        {"name": name, "description": "", "tags": tags, "meta": {"version": "3.0.0", "category": category}, **members}, indent=1
    )


async def create(mode: Mode, who: Principal, text: str, **fields: Any) -> Workflow:
    return await mode.write(who, lambda work: work.workflows.create(text, **fields))


async def names(mode: Mode, who: Principal, **filters: Any) -> list[str]:
    """The names of a list, the long way round: pages, cursors and the whole list must agree."""
    query = WorkflowQuery(**filters)
    found = await mode.read(who, lambda work: work.workflows.all(query))
    page = await mode.read(who, lambda work: work.workflows.page(query, limit=1000))
    assert (page.items, page.total) == (found, len(found))
    rest = await mode.read(who, lambda work: work.workflows.page(query, offset=1, limit=2))
    assert (rest.items, rest.total) == (found[1:3], len(found))
    assert await mode.read(who, partial(_walk, query)) == found
    return [workflow.name for workflow in found]


async def _call(call: str, arguments: tuple[Any, ...], work: UnitOfWork) -> Any:
    return await getattr(work.workflows, call)(*arguments)


async def _walk(query: WorkflowQuery, work: UnitOfWork) -> list[WorkflowSummary]:
    part = await work.workflows.slice(query, limit=2)
    walked = list(part.items)
    while part.next_cursor is not None:
        part = await work.workflows.slice(query, cursor=part.next_cursor, limit=2)
        walked += part.items
    return walked


async def sync(mode: Mode, documents: dict[str, str]) -> DefaultsSynced:
    return await mode.write(Principal.internal(InternalReason.OPERATE), lambda work: work.workflows.sync_defaults(documents))


async def test_a_workflow_is_read_back_as_it_was_stored(mode: Mode, people: People) -> None:
    """The document to the byte; what lists show comes from it."""
    text = document("Fox", tags="a, b", description="red", nodes=[{"x": 1.50}], id="w-1")
    made = await create(mode, people.ana, text, workflow_id="w-1")
    assert made == await mode.read(people.ana, lambda work: work.workflows.get("w-1"))
    assert (made.document, made.name, made.tags, made.description) == (text, "Fox", "a, b", "red")
    assert (made.user_id, made.is_public, made.category, made.opened_at) == ("ana", False, "user", None)
    with pytest.raises(Conflict):
        await create(mode, people.bo, text, workflow_id="w-1")


async def test_a_new_id_is_written_into_the_document(mode: Mode, people: People) -> None:
    """InvokeAI looks for it there, whatever id the document brought along."""
    made = await create(mode, people.ana, document("Füchse", id="somebody-elses"))
    stored = json.loads(made.document)
    assert (stored["id"], stored["name"]) == (made.workflow_id, "Füchse")


async def test_a_private_workflow_is_nobody_elses(mode: Mode, people: People) -> None:
    """A stranger can neither read, change, open nor delete it, nor find it in any list or count."""
    made = await create(mode, people.ana, document(tags="fox"))
    calls = (("get",), ("update", document()), ("set_public", True), ("touch_opened",), ("delete",))
    for call, *arguments in calls:
        with pytest.raises(NotFound):
            await mode.write(people.bo, partial(_call, call, (made.workflow_id, *arguments)))
    assert await names(mode, people.bo) == []
    assert await mode.read(people.bo, lambda work: work.workflows.counts_by_tag(["fox"])) == {"fox": 0}
    assert await mode.read(people.bo, lambda work: work.workflows.counts_by_category(["user"])) == {"user": 0}
    assert await mode.read(people.bo, lambda work: work.workflows.all_tags()) == []
    assert await names(mode, people.bo, owner_or_default="ana") == []
    assert await mode.read(people.ana, lambda work: work.workflows.get(made.workflow_id)) == made
    assert await names(mode, people.root) == ["Fox"]


async def test_a_public_workflow_is_read_by_all_and_changed_by_its_owner_and_administrators(mode: Mode, people: People) -> None:
    """Others are told that they may not, since they see it."""
    made = await create(mode, people.ana, document(), is_public=True)
    assert await mode.read(people.bo, lambda work: work.workflows.get(made.workflow_id)) == made
    for call, *arguments in (("update", document()), ("set_public", False), ("touch_opened",), ("delete",)):
        with pytest.raises(NotAllowed):
            await mode.write(people.bo, partial(_call, call, (made.workflow_id, *arguments)))
    assert await mode.read(people.ana, lambda work: work.workflows.get(made.workflow_id)) == made
    changed = await mode.write(people.root, lambda work: work.workflows.update(made.workflow_id, document("Wolf")))
    assert (changed.name, changed.user_id, changed.is_public) == ("Wolf", "ana", True)
    assert changed.updated_at > made.updated_at
    await mode.write(people.ana, lambda work: work.workflows.delete(made.workflow_id))
    with pytest.raises(NotFound):
        await mode.read(people.ana, lambda work: work.workflows.get(made.workflow_id))


async def test_showing_a_workflow_adds_the_tag_shared_and_hiding_it_removes_it(mode: Mode, people: People) -> None:
    """In the document as in the lists, with the tags joined anew; other tags stay."""
    made = await create(mode, people.ana, document(tags=" fox ,, red"))
    for is_public, tags in ((True, "fox, red, shared"), (True, "fox, red, shared"), (False, "fox, red")):
        shown = await mode.write(people.ana, partial(_set_public, made.workflow_id, is_public))
        assert (shown.is_public, shown.tags, json.loads(shown.document)["tags"]) == (is_public, tags, tags)
    untagged = await create(mode, people.ana, document(tags=None))
    assert (await mode.write(people.ana, partial(_set_public, untagged.workflow_id, True))).tags == "shared"


async def _set_public(workflow_id: str, is_public: bool, work: UnitOfWork) -> Workflow:
    return await work.workflows.set_public(workflow_id, is_public)


async def test_opening_a_workflow_notes_the_time(mode: Mode, people: People) -> None:
    """It counts as a change, as in InvokeAI, and splits the library into opened and new."""
    made = await create(mode, people.ana, document("old"))
    await create(mode, people.ana, document("new"))
    await mode.write(people.ana, lambda work: work.workflows.touch_opened(made.workflow_id))
    opened = await mode.read(people.ana, lambda work: work.workflows.get(made.workflow_id))
    assert opened.opened_at == opened.updated_at
    assert opened.updated_at > made.updated_at
    assert await names(mode, people.ana, has_been_opened=True) == ["old"]
    assert await names(mode, people.ana, has_been_opened=False) == ["new"]


async def test_every_order_gives_each_workflow_once_with_ties_by_insertion(mode: Mode, people: People) -> None:
    """Upper case sorts before lower, never opened before opened; the reverse is the reverse."""
    for name in ("b", "a", "B", "a", "c"):
        made = await create(mode, people.ana, document(name), is_public=name == "a")
        if name in "Bc":
            await mode.write(people.ana, partial(_touch, made.workflow_id))
    for order_by in get_args(WorkflowOrder):
        ascending = await mode.read(people.ana, partial(_ids, WorkflowQuery(order_by=order_by)))
        descending = await mode.read(people.ana, partial(_ids, WorkflowQuery(order_by=order_by, descending=True)))
        assert descending == ascending[::-1]
        await names(mode, people.ana, order_by=order_by, descending=True)
    assert await names(mode, people.ana) == ["B", "a", "a", "b", "c"]
    assert await names(mode, people.ana, order_by="opened_at") == ["b", "a", "a", "B", "c"]
    assert await names(mode, people.ana, order_by="is_public") == ["b", "B", "c", "a", "a"]


async def _touch(workflow_id: str, work: UnitOfWork) -> None:
    await work.workflows.touch_opened(workflow_id)


async def _ids(query: WorkflowQuery, work: UnitOfWork) -> list[str]:
    return [workflow.workflow_id for workflow in await work.workflows.all(query)]


async def test_search_finds_parts_of_name_description_and_tags(mode: Mode, people: People) -> None:
    """ASCII letters whatever their case; every other character means itself."""
    await create(mode, people.ana, document("100% Fox"))
    await create(mode, people.ana, document("Ärger", description="snake_case"))
    await create(mode, people.ana, document("Zebra", tags="SDXL, Foxes"))
    await create(mode, people.ana, document("Yak", tags=None))
    assert await names(mode, people.ana, search="  fOx ") == ["100% Fox", "Zebra"]
    assert await names(mode, people.ana, search="0%") == ["100% Fox"]
    assert await names(mode, people.ana, search="%") == ["100% Fox"]
    assert await names(mode, people.ana, search="_") == ["Ärger"]
    assert await names(mode, people.ana, search="ä") == []
    assert await names(mode, people.ana, search="Ä") == ["Ärger"]
    assert len(await names(mode, people.ana, search="   ")) == 4
    assert await names(mode, people.ana, tags=("sdx", "nothing")) == ["Zebra"]
    assert await names(mode, people.ana, tags=("",)) == ["100% Fox", "Zebra", "Ärger"]
    assert len(await names(mode, people.ana, tags=(), categories=())) == 4


async def test_counts_and_tags_follow_the_filters(mode: Mode, people: People) -> None:
    """Each asked key gets its count, zeros too; a tag counts as a part of the text."""
    await sync(mode, {"default_1": document("Default", category="default", tags="sdxl, upscale")})
    await create(mode, people.ana, document("mine", tags="SDXL, fox"))
    await create(mode, people.ana, document("shown", tags="fox"), is_public=True)
    await create(mode, people.bo, document("bos", tags="fox, wolf"), is_public=True)
    await create(mode, people.bo, document("hidden", tags="fox, secret"))
    count = partial(_counts, ["sdxl", "fox", " fox ", "FO", "secret", "%"])
    assert await mode.read(people.ana, partial(count, WorkflowQuery())) == {
        "sdxl": 2,
        "fox": 3,
        " fox ": 3,
        "FO": 3,
        "secret": 0,
        "%": 0,
    }
    own = WorkflowQuery(owner_or_default="ana")
    assert (await mode.read(people.ana, partial(count, own)))["fox"] == 2
    assert (await mode.read(people.root, partial(count, WorkflowQuery())))["secret"] == 1
    assert (await mode.read(people.ana, partial(count, WorkflowQuery(categories=("default",)))))["sdxl"] == 1
    assert (await mode.read(people.ana, partial(count, WorkflowQuery(is_public=True))))["fox"] == 2
    categories = partial(_categories, ["default", "user"])
    assert await mode.read(people.ana, partial(categories, own)) == {"default": 1, "user": 2}
    assert await mode.read(people.ana, partial(categories, WorkflowQuery(has_been_opened=True))) == {"default": 0, "user": 0}
    assert await mode.read(people.ana, lambda work: work.workflows.all_tags(own)) == ["SDXL", "fox", "sdxl", "upscale"]
    assert await mode.read(people.ana, lambda work: work.workflows.counts_by_tag([])) == {}
    assert await mode.read(people.ana, lambda work: work.workflows.counts_by_category([])) == {}
    assert await names(mode, people.ana, owner_or_default="ana") == ["Default", "mine", "shown"]


async def _counts(tags: list[str], query: WorkflowQuery, work: UnitOfWork) -> dict[str, int]:
    return await work.workflows.counts_by_tag(tags, query)


async def _categories(categories: list[str], query: WorkflowQuery, work: UnitOfWork) -> dict[str, int]:
    return await work.workflows.counts_by_category(categories, query)


async def test_default_workflows_are_kept_in_step_and_remember_when_they_were_opened(mode: Mode, people: People) -> None:
    """Missing ones come, changed ones are overwritten, vanished ones go; the same again changes nothing."""
    first = {name: document(name, category="default") for name in ("default_1", "default_2")}
    assert await sync(mode, first) == DefaultsSynced(2, 0, 0)
    assert await sync(mode, first) == DefaultsSynced(0, 0, 0)
    await mode.write(people.root, partial(_touch, "default_2"))
    opened = await mode.read(people.ana, lambda work: work.workflows.get("default_2"))
    second = {name: document(name, category="default", tags="new") for name in ("default_2", "default_3")}
    assert await sync(mode, second) == DefaultsSynced(1, 1, 1)
    assert await names(mode, people.ana) == ["default_2", "default_3"]
    changed = await mode.read(people.ana, lambda work: work.workflows.get("default_2"))
    assert (changed.opened_at, changed.created_at) == (opened.opened_at, opened.created_at)
    assert (changed.tags, changed.user_id, changed.document) == ("new", "system", second["default_2"])


async def test_servers_that_start_at_once_agree_on_the_defaults(studio: Studio, people: People) -> None:
    """Each may sync while another does; nothing comes twice and nobody fails."""
    workflows = {f"default_{n}": document(f"{n}", category="default") for n in range(5)}
    presets = {f"preset {n}": "{}" for n in range(5)}

    async def start() -> None:
        async with studio.begin(Principal.internal(InternalReason.OPERATE)) as work:
            await work.workflows.sync_defaults(workflows)
            await work.presets.sync_defaults(presets)

    await asyncio.gather(*(start() for _ in range(6)))
    async with studio.read(people.ana) as work:
        assert [workflow.workflow_id for workflow in await work.workflows.all()] == sorted(workflows)
        assert [preset.name for preset in await work.presets.all()] == sorted(presets)


async def test_default_workflows_change_in_no_other_way(mode: Mode, people: People) -> None:
    """Not even for an administrator, who may only note that one was opened; nobody makes one of their own."""
    await sync(mode, {"default_1": document(category="default")})
    for who in (people.ana, people.root):
        for call, *arguments in (("update", document()), ("set_public", True), ("delete",)):
            with pytest.raises(NotAllowed):
                await mode.write(who, partial(_call, call, ("default_1", *arguments)))
        with pytest.raises(InvalidInput) as caught:
            await create(mode, who, document(category="default"))
        assert caught.value.field == "category"
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, partial(_call, "touch_opened", ("default_1",)))
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.workflows.sync_defaults({}))
    made = await create(mode, people.ana, document())
    with pytest.raises(InvalidInput):
        await mode.write(people.ana, lambda work: work.workflows.update(made.workflow_id, document(category="default")))
    for wrong, error in (
        ({made.workflow_id: document(category="default")}, Conflict),
        ({"default_1": document()}, InvalidInput),
        ({"default_1": "{"}, InvalidInput),
    ):
        with pytest.raises(error):
            await sync(mode, wrong)
    assert await names(mode, people.root) == ["Fox", "Fox"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "document"),
        ("[]", "document"),
        ("a\0b", "document"),
        ("\ud800", "document"),
        ("{}", "meta"),
        (document(category="mine"), "category"),
        (document("x" * 301), "name"),
        (document("a\0b"), "name"),
        (document("\ud800"), "name"),
        (document(description=None), "description"),
        (document(tags=["a"]), "tags"),  # type: ignore[arg-type]
        (document(tags="\0"), "tags"),
    ],
)
async def test_a_document_that_cannot_be_is_refused_and_changes_nothing(
    mode: Mode, people: People, text: str, field: str
) -> None:
    """The error names the part that is wrong, at creation and at change."""
    made = await create(mode, people.ana, document())
    for call, arguments in (("create", (text,)), ("update", (made.workflow_id, text))):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(people.ana, partial(_call, call, arguments))
        assert caught.value.field == field
    assert await mode.read(people.ana, lambda work: work.workflows.all()) == [
        WorkflowSummary(**{name: getattr(made, name) for name in WorkflowSummary.__slots__})
    ]


async def test_filters_cursors_and_ids_that_cannot_be_are_refused(mode: Mode, people: People) -> None:
    """Each with its own field."""
    for name in "abc":
        await create(mode, people.ana, document(name))
    cursor = (await mode.read(people.ana, lambda work: work.workflows.slice(limit=1))).next_cursor
    assert cursor is not None
    other = WorkflowQuery(order_by="opened_at")
    for wrong, query in ((cursor, other), ("bm9uc2Vuc2U", WorkflowQuery()), ("", WorkflowQuery())):
        with pytest.raises(InvalidCursor):
            await mode.read(people.ana, partial(_slice, query, wrong))
    filters: list[tuple[dict[str, Any], str]] = [
        ({"categories": ("project",)}, "categories"),
        ({"tags": ("a\0",)}, "tags"),
        ({"search": "x" * 201}, "search"),
        ({"order_by": "document"}, "order_by"),
    ]
    for wrong_filter, field in filters:
        with pytest.raises(InvalidInput) as caught:
            await mode.read(people.ana, partial(_ids, WorkflowQuery(**wrong_filter)))
        assert caught.value.field == field
    with pytest.raises(InvalidInput):
        await create(mode, people.ana, document(), workflow_id="a\0b")
    with pytest.raises(InvalidInput):
        await mode.read(people.ana, lambda work: work.workflows.counts_by_tag(["\0"]))
    with pytest.raises(InvalidInput):
        await mode.read(people.ana, lambda work: work.workflows.counts_by_category(["x"]))


async def _slice(query: WorkflowQuery, cursor: str, work: UnitOfWork) -> list[WorkflowSummary]:
    return (await work.workflows.slice(query, cursor=cursor)).items
