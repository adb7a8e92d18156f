"""Workflows over the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticSerializationError

from tenantry.api.shapes.common import json_object
from tenantry.errors import InvalidInput
from tenantry.repositories.workflow_documents import WorkflowCategory
from tenantry.repositories.workflow_lists import WorkflowSummary
from tenantry.repositories.workflows import Workflow

__all__ = ["NewWorkflow", "WorkflowChange", "WorkflowListItem", "WorkflowRecord", "WorkflowWithThumbnail"]


class ExposedField(BaseModel):
    """An input of a workflow that its simple view shows."""

    nodeId: str
    fieldName: str


class WorkflowMeta(BaseModel):
    """What kind of document it is."""

    version: str
    category: WorkflowCategory


class NewWorkflow(BaseModel):
    """A workflow's document without its id; members that are not named here are left out."""

    model_config = ConfigDict(extra="ignore")

    name: str
    author: str
    description: str
    version: str
    contact: str
    tags: str
    notes: str
    exposedFields: list[ExposedField]
    meta: WorkflowMeta
    nodes: list[dict[str, JsonValue]]
    edges: list[dict[str, JsonValue]]
    form: dict[str, JsonValue] | None = None

    def document(self) -> str:
        """The document as JSON text. Raises `InvalidInput` for broken Unicode deep inside."""
        try:
            return self.model_dump_json()
        except PydanticSerializationError:
            raise InvalidInput(
                "The document has text that is not valid Unicode.", field="workflow", remedy="Remove the broken characters."
            ) from None


class WorkflowChange(NewWorkflow):
    """A workflow's document."""

    id: str


class _Described(BaseModel):
    workflow_id: str
    name: str
    created_at: str = Field(description="UTC, `YYYY-MM-DD HH:MM:SS.fff`.")
    updated_at: str
    opened_at: str | None = None
    user_id: str = Field(description="The owner.")
    is_public: bool = Field(description="Whether everybody sees it.")


class WorkflowRecord(_Described):
    """A workflow with its document."""

    workflow: dict[str, Any] = Field(description="The document as it is stored; `form` is null where it has none.")

    @classmethod
    def of(cls, record: Workflow) -> "WorkflowRecord":
        return cls(**_description(record), workflow={"form": None, **(json_object(record.document) or {})})


class WorkflowWithThumbnail(WorkflowRecord):
    """A workflow with its document and what else is known about it."""

    thumbnail_url: str | None = None
    call_saved_workflow_compatibility: None = None


class WorkflowListItem(_Described):
    """A workflow as lists show it."""

    description: str
    category: WorkflowCategory
    tags: str
    thumbnail_url: str | None = None
    call_saved_workflow_compatibility: None = None

    @classmethod
    def of(cls, record: WorkflowSummary) -> "WorkflowListItem":
        return cls(**_description(record), description=record.description, category=record.category, tags=record.tags or "")


def _description(record: WorkflowSummary) -> dict[str, Any]:
    return {
        "workflow_id": record.workflow_id,
        "name": record.name,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "opened_at": record.opened_at,
        "user_id": record.user_id,
        "is_public": record.is_public,
    }
