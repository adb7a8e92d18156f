"""Users, for administrators."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.accounts import DataFate
from tenantry.api.caller import Administrator
from tenantry.api.problems import responses
from tenantry.api.routes import bulk
from tenantry.api.shapes.accounts import NewUserRequest, UserChanges, UserDTO
from tenantry.repositories.ownership import RowsRemoved

__all__ = ["router"]

router = APIRouter(
    prefix="/auth/users", tags=["administration"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
)
_ONE = responses(HTTPStatus.NOT_FOUND)
_CHANGE = responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.get("", operation_id="list_users", summary="List users")
async def list_users(caller: Administrator) -> list[UserDTO]:
    """Newest first, without those that nobody can be."""
    async with caller.read() as work:
        return [UserDTO.of(user) for user in await work.users.all()]


@router.post("", operation_id="create_user", summary="Add a user", status_code=201, responses=responses(HTTPStatus.CONFLICT))
async def create_user(caller: Administrator, request: NewUserRequest) -> UserDTO:
    user = await caller.studio.accounts.register(
        request.email,
        request.password.get_secret_value(),
        display_name=request.display_name,
        is_admin=request.is_admin,
        by=caller.principal,
    )
    return UserDTO.of(user)


@router.get("/{user_id}", operation_id="get_user", summary="Get a user", responses=_ONE)
async def get_user(caller: Administrator, user_id: str) -> UserDTO:
    async with caller.read() as work:
        return UserDTO.of(await work.users.get(user_id))


@router.patch("/{user_id}", operation_id="update_user", summary="Change a user", responses=_CHANGE)
async def update_user(caller: Administrator, user_id: str, changes: UserChanges) -> UserDTO:
    """Change what is given, all of it or nothing. A new password or a deactivation ends their logins and API keys."""
    given = changes.model_dump(exclude={"password"})
    password = None if changes.password is None else changes.password.get_secret_value()
    return UserDTO.of(await caller.studio.accounts.modify(user_id, **given, password=password, by=caller.principal))


@router.delete("/{user_id}", operation_id="delete_user", summary="Delete a user", status_code=204, responses=_CHANGE)
async def delete_user(
    caller: Administrator,
    user_id: str,
    data: Annotated[DataFate, Query(description="What becomes of what they made.")] = DataFate.KEEP,
    to: Annotated[str | None, Query(description="The id of the user who gets it, for `transfer`.")] = None,
) -> None:
    """Delete a user. What they made is kept under the built-in user `system` unless something else is said."""
    outcome = await caller.studio.accounts.delete(user_id, data, to, by=caller.principal)
    if isinstance(outcome, RowsRemoved):
        await bulk.delete_files(caller, outcome.files)
