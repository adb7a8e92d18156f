"""One workflow: reading and changing it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.workflows import NewWorkflow, WorkflowChange, WorkflowRecord, WorkflowWithThumbnail
from tenantry.errors import InvalidInput

__all__ = ["router"]

router = APIRouter(
    prefix="/workflows",
    tags=["workflows"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)


@router.get("/i/{workflow_id}", operation_id="get_workflow", summary="Get a workflow")
async def get_workflow(caller: SignedIn, workflow_id: str) -> WorkflowWithThumbnail:
    async with caller.read() as work:
        record = await work.workflows.get(workflow_id)
    return WorkflowWithThumbnail(**WorkflowRecord.of(record).model_dump())


@router.post("/", operation_id="create_workflow", summary="Create a workflow")
async def create_workflow(caller: SignedIn, workflow: Annotated[NewWorkflow, Body(embed=True)]) -> WorkflowRecord:
    """Add a workflow of one's own; nobody else sees it yet, unless the studio has one user only."""
    async with caller.change() as work:
        public = not caller.settings.multiuser
        return WorkflowRecord.of(await work.workflows.create(workflow.document(), is_public=public))


@router.patch("/i/{workflow_id}", operation_id="update_workflow", summary="Change a workflow")
async def update_workflow(
    caller: SignedIn, workflow_id: str, workflow: Annotated[WorkflowChange, Body(embed=True)]
) -> WorkflowRecord:
    """Put another document in the place of the workflow's."""
    if workflow.id != workflow_id:
        raise InvalidInput("The document has another id.", field="workflow.id", remedy="Use the id of the address.")
    async with caller.change() as work:
        return WorkflowRecord.of(await work.workflows.update(workflow_id, workflow.document()))


@router.delete("/i/{workflow_id}", operation_id="delete_workflow", summary="Delete a workflow")
async def delete_workflow(caller: SignedIn, workflow_id: str) -> None:
    async with caller.change() as work:
        await work.workflows.delete(workflow_id)


@router.patch("/i/{workflow_id}/is_public", operation_id="update_workflow_is_public", summary="Show a workflow to everybody")
async def update_workflow_is_public(
    caller: SignedIn, workflow_id: str, is_public: Annotated[bool, Body(embed=True)]
) -> WorkflowRecord:
    """Show a workflow to everybody, or to its owner alone."""
    async with caller.change() as work:
        return WorkflowRecord.of(await work.workflows.set_public(workflow_id, is_public))


@router.put("/i/{workflow_id}/opened_at", operation_id="update_opened_at", summary="Note that a workflow was opened")
async def update_opened_at(caller: SignedIn, workflow_id: str) -> None:
    async with caller.change() as work:
        await work.workflows.touch_opened(workflow_id)
