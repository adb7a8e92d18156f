"""System prompts."""

from http import HTTPStatus

from fastapi import APIRouter

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.prompts import NewSystemPrompt, SystemPrompt, SystemPromptChanges

__all__ = ["router"]

router = APIRouter(
    prefix="/system_prompts",
    tags=["system_prompts"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)


@router.get("/", operation_id="list_system_prompts", summary="List system prompts")
async def list_system_prompts(caller: SignedIn) -> list[SystemPrompt]:
    """One's own prompts, and those that others show to everybody."""
    async with caller.read() as work:
        return [SystemPrompt.of(prompt) for prompt in await work.prompts.all()]


@router.get("/i/{system_prompt_id}", operation_id="get_system_prompt", summary="Get a system prompt")
async def get_system_prompt(caller: SignedIn, system_prompt_id: str) -> SystemPrompt:
    async with caller.read() as work:
        return SystemPrompt.of(await work.prompts.get(system_prompt_id))


@router.post("/", operation_id="create_system_prompt", summary="Create a system prompt")
async def create_system_prompt(caller: SignedIn, system_prompt: NewSystemPrompt) -> SystemPrompt:
    """Add a prompt of one's own; nobody else sees it yet, unless the studio has one user only."""
    async with caller.change() as work:
        public = not caller.settings.multiuser
        return SystemPrompt.of(await work.prompts.create(system_prompt.name, system_prompt.content, is_public=public))


@router.patch("/i/{system_prompt_id}", operation_id="update_system_prompt", summary="Change a system prompt")
async def update_system_prompt(caller: SignedIn, system_prompt_id: str, changes: SystemPromptChanges) -> SystemPrompt:
    async with caller.change() as work:
        prompt = await work.prompts.update(
            system_prompt_id, name=changes.name, content=changes.content, is_public=changes.is_public
        )
    return SystemPrompt.of(prompt)


@router.delete("/i/{system_prompt_id}", operation_id="delete_system_prompt", summary="Delete a system prompt")
async def delete_system_prompt(caller: SignedIn, system_prompt_id: str) -> None:
    async with caller.change() as work:
        await work.prompts.delete(system_prompt_id)
