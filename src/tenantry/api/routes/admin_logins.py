"""Who must wait before they may log in, for administrators."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from tenantry.api.caller import Administrator
from tenantry.api.problems import responses
from tenantry.errors import InvalidInput

__all__ = ["router"]

router = APIRouter(
    prefix="/admin/login_waits", tags=["administration"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
)


@router.delete("/", operation_id="lift_login_wait", summary="Let somebody log in without waiting", status_code=204)
async def lift_login_wait(
    caller: Administrator,
    email: Annotated[str | None, Query(max_length=320, description="The account.")] = None,
    address: Annotated[str | None, Query(max_length=100, description="The network address from which they come.")] = None,
) -> None:
    """Forget the failed logins of an account, or from an address, or both."""
    if email is None and address is None:
        raise InvalidInput("This names nobody.", field="email", remedy="Give an e-mail address, a network address or both.")
    await caller.studio.accounts.lift_wait(email=email, address=address, by=caller.principal)
