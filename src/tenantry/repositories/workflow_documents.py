"""What Tenantry reads from a workflow's JSON document, and the two things that it ever writes into one."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenantry.errors import InvalidInput
from tenantry.repositories.checks import MAX_NAME, check_choice, check_json, check_text

__all__ = ["Described", "WorkflowCategory", "describe", "split_tags", "with_id", "with_shared_tag"]

_SHARED = "shared"


class WorkflowCategory(StrEnum):
    """A user's own workflow, or one that comes with the studio."""

    USER = "user"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Described:
    """The columns that lists show, search and sort by."""

    category: WorkflowCategory
    name: str
    description: str
    tags: str | None


def describe(document: str) -> Described:
    """Read a document's columns. Raises `InvalidInput` for what is not a workflow; the name may be empty, as in InvokeAI."""
    workflow = _parsed(document)
    meta = workflow.get("meta")
    if not isinstance(meta, dict):
        raise _missing("meta")
    return Described(
        category=check_choice(_text(meta, "category"), WorkflowCategory, "category"),
        name=check_text(_text(workflow, "name"), "name", most=MAX_NAME),
        description=check_text(_text(workflow, "description"), "description"),
        tags=None if workflow.get("tags") is None else check_text(_text(workflow, "tags"), "tags"),
    )


def with_id(document: str, workflow_id: str) -> str:
    """The document with its own id in it, where InvokeAI looks for it."""
    return _written(_parsed(document) | {"id": workflow_id})


def with_shared_tag(document: str, *, shared: bool) -> str:
    """The document with the tag `shared`, or without it; its tags are joined anew."""
    workflow = _parsed(document)
    tags = split_tags(workflow.get("tags"))
    if shared and _SHARED not in tags:
        tags.append(_SHARED)
    elif not shared and _SHARED in tags:
        tags.remove(_SHARED)
    return _written(workflow | {"tags": ", ".join(tags)})


def split_tags(tags: object) -> list[str]:
    """The tags of a comma-separated text, without blanks around them."""
    return [tag.strip() for tag in tags.split(",") if tag.strip()] if isinstance(tags, str) else []


def _parsed(document: str) -> dict[str, Any]:
    workflow = check_json(document, "document")
    if not isinstance(workflow, dict):
        raise InvalidInput("A workflow is a JSON object.", field="document")
    return workflow


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise _missing(name)
    return value


def _missing(name: str) -> InvalidInput:
    return InvalidInput("A workflow must have this.", field=name, remedy="Export the workflow from the editor again.")


def _written(workflow: dict[str, Any]) -> str:
    # Escapes keep lone surrogates, which JSON may contain and no database stores.
    try:
        return json.dumps(workflow, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise InvalidInput("The document has numbers that JSON does not know.", field="document") from None
