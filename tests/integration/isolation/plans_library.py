"""How workflows, presets, prompts, client state and what belongs to the installation are attacked."""

import json
from contextlib import suppress

from tenantry.errors import Conflict
from tenantry.queue import UnitOfWork
from tenantry.repositories.workflow_lists import WorkflowQuery
from tests.integration.isolation.plan_kinds import Outcome, Plan, in_library, own, privileged
from tests.integration.isolation.world import OWNER, Target

NOT_ALLOWED = Outcome.NOT_ALLOWED

_QUERIES = [
    WorkflowQuery(),
    WorkflowQuery(search="hidden"),
    WorkflowQuery(tags=("hidden-tag", "vixen-tag")),
    WorkflowQuery(owner_or_default=OWNER.user_id, is_public=False),
    WorkflowQuery(has_been_opened=True, order_by="opened_at", descending=True),
    WorkflowQuery(categories=("user",)),
]


def workflow_document(name: str = "taken") -> str:
    return json.dumps(
        {
            **{key: "" for key in ("description", "tags", "author", "version", "contact", "notes")},
            "name": name,
            "exposedFields": [],
            "nodes": [],
            "edges": [],
            "meta": {"version": "3.0.0", "category": "user"},
        }
    )


def _default(name: str) -> str:
    return json.dumps({**json.loads(workflow_document(name)), "meta": {"version": "3.0.0", "category": "default"}})


def _model(key: str, name: str = "taken") -> str:
    facts = {"hash": "h", "base": "sdxl", "type": "main", "path": f"{key}-path", "format": "diffusers", "name": name}
    return json.dumps({"key": key, "source": "s", "source_type": "path", "file_size": 1, **facts})


async def _create_over(work: UnitOfWork, target: Target) -> object:
    with suppress(Conflict):
        await work.workflows.create(workflow_document(), workflow_id=target.workflow)
    return await work.workflows.create(workflow_document("mine"))


async def _pages(work: UnitOfWork, target: Target) -> object:
    return [await work.workflows.page(query) for query in _QUERIES]


async def _slices(work: UnitOfWork, target: Target) -> object:
    return [await work.workflows.slice(query, limit=limit) for query in _QUERIES for limit in (1, 100)]


async def _all(work: UnitOfWork, target: Target) -> object:
    return [await work.workflows.all(query) for query in _QUERIES]


async def _all_tags(work: UnitOfWork, target: Target) -> object:
    return [await work.workflows.all_tags(query) for query in _QUERIES]


async def _counts_by_tag(work: UnitOfWork, target: Target) -> object:
    # The answer repeats the tags that it was asked for, so only the numbers are looked at.
    return [sum((await work.workflows.counts_by_tag(["hidden-tag"], query)).values()) for query in _QUERIES]


async def _counts_by_category(work: UnitOfWork, target: Target) -> object:
    query = WorkflowQuery(owner_or_default=OWNER.user_id, is_public=target.word == "vixen")
    return await work.workflows.counts_by_category(["user"], query)


_LISTS: dict[str, Plan] = {
    "workflows.page": own(_pages, shown_is_public=True),
    "workflows.slice": own(_slices, shown_is_public=True),
    "workflows.all": own(_all, shown_is_public=True),
    "workflows.all_tags": own(_all_tags, shown_is_public=True),
    "workflows.counts_by_tag": own(_counts_by_tag),
    "workflows.counts_by_category": in_library(_counts_by_category, private=Outcome.EMPTY),
}
_WORKFLOWS: dict[str, Plan] = {
    "workflows.create": own(_create_over),
    "workflows.get": in_library(lambda work, target: work.workflows.get(target.workflow)),
    "workflows.update": in_library(
        lambda work, target: work.workflows.update(target.workflow, workflow_document()), public=NOT_ALLOWED
    ),
    "workflows.set_public": in_library(
        lambda work, target: work.workflows.set_public(target.workflow, True), public=NOT_ALLOWED
    ),
    "workflows.touch_opened": in_library(lambda work, target: work.workflows.touch_opened(target.workflow), public=NOT_ALLOWED),
    "workflows.delete": in_library(lambda work, target: work.workflows.delete(target.workflow), public=NOT_ALLOWED),
    "workflows.sync_defaults": privileged(lambda work, target: work.workflows.sync_defaults({"new-default": _default("new")})),
}
_PRESETS: dict[str, Plan] = {
    "presets.create": own(lambda work, target: work.presets.create("mine", "{}")),
    "presets.get": in_library(lambda work, target: work.presets.get(target.preset)),
    "presets.update": in_library(
        lambda work, target: work.presets.update(target.preset, name="taken", is_public=True), public=NOT_ALLOWED
    ),
    "presets.delete": in_library(lambda work, target: work.presets.delete(target.preset), public=NOT_ALLOWED),
    "presets.all": own(lambda work, target: work.presets.all(), shown_is_public=True),
    "presets.sync_defaults": privileged(lambda work, target: work.presets.sync_defaults({"new": "{}"})),
}
_PROMPTS: dict[str, Plan] = {
    "prompts.create": own(lambda work, target: work.prompts.create("mine", "text")),
    "prompts.get": in_library(lambda work, target: work.prompts.get(target.prompt)),
    "prompts.update": in_library(
        lambda work, target: work.prompts.update(target.prompt, content="taken", is_public=True), public=NOT_ALLOWED
    ),
    "prompts.delete": in_library(lambda work, target: work.prompts.delete(target.prompt), public=NOT_ALLOWED),
    "prompts.all": own(lambda work, target: work.prompts.all(), shown_is_public=True),
}
_CLIENT_STATE: dict[str, Plan] = {
    "client_state.get": own(lambda work, target: work.client_state.get(target.key), Outcome.EMPTY),
    "client_state.keys_with_prefix": own(lambda work, target: work.client_state.keys_with_prefix(target.word), Outcome.EMPTY),
    "client_state.set": own(lambda work, target: work.client_state.set(target.key, "mine")),
    "client_state.delete": own(lambda work, target: work.client_state.delete(target.key)),
    "client_state.clear": own(lambda work, target: work.client_state.clear()),
}
_INSTALLATION: dict[str, Plan] = {
    "app_settings.get": privileged(lambda work, target: work.app_settings.get("hidden-setting")),
    "app_settings.set": privileged(lambda work, target: work.app_settings.set("hidden-setting", "taken")),
    "app_settings.get_or_create": privileged(lambda work, target: work.app_settings.get_or_create("hidden-setting", "x")),
    "models.add": privileged(lambda work, target: work.models.add(_model("model-3"))),
    "models.update": privileged(lambda work, target: work.models.update("model-1", {"name": "taken"})),
    "models.replace": privileged(lambda work, target: work.models.replace("model-1", _model("model-1"))),
    "models.delete": privileged(lambda work, target: work.models.delete("model-1")),
    # Models are the installation's, and everybody may look at them.
    "models.get": own(lambda work, target: work.models.get("model-1")),
    "models.exists": own(lambda work, target: work.models.exists("model-1")),
    "models.all": own(lambda work, target: work.models.all()),
    "models.page": own(lambda work, target: work.models.page()),
    "models.search_by_attr": own(lambda work, target: work.models.search_by_attr(model_name="model-1-name")),
    "models.by_path": own(lambda work, target: work.models.by_path("model-1-path")),
    "models.by_hash": own(lambda work, target: work.models.by_hash("model-1-hash")),
    "model_relationships.add": privileged(lambda work, target: work.model_relationships.add("model-1", "model-2")),
    "model_relationships.remove": privileged(lambda work, target: work.model_relationships.remove("model-1", "model-2")),
    "model_relationships.related": own(lambda work, target: work.model_relationships.related("model-1")),
    "model_relationships.related_to_any": own(lambda work, target: work.model_relationships.related_to_any(["model-1"])),
}

PLANS: dict[str, Plan] = {**_LISTS, **_WORKFLOWS, **_PRESETS, **_PROMPTS, **_CLIENT_STATE, **_INSTALLATION}
