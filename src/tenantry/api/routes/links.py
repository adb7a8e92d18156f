"""Invitations and new passwords by links that are good once."""

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request

from tenantry.api.caller import Administrator, Anybody, address_of
from tenantry.api.problems import responses
from tenantry.api.shapes.accounts import UserDTO
from tenantry.api.shapes.links import InvitationRequest, LinkDTO, NewLinkDTO, RedeemRequest

__all__ = ["open_router", "router"]

router = APIRouter(
    prefix="/auth/links", tags=["administration"], responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
)
open_router = APIRouter(prefix="/auth/links", tags=["authentication"])
_ONE = responses(HTTPStatus.NOT_FOUND)
_CHANGE = responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.get("/", operation_id="list_links", summary="List links that nobody has used")
async def list_links(caller: Administrator) -> list[LinkDTO]:
    async with caller.read() as work:
        return [LinkDTO.of(link) for link in await work.account_links.all()]


@router.post(
    "/invitations", operation_id="invite", summary="Invite somebody", status_code=201, responses=responses(HTTPStatus.CONFLICT)
)
async def invite(caller: Administrator, request: InvitationRequest) -> NewLinkDTO:
    """By the link they make an account for themselves, once. No mail is sent."""
    lifetime = timedelta(days=request.days)
    return NewLinkDTO.made(
        await caller.studio.accounts.invite(request.email, is_admin=request.is_admin, lifetime=lifetime, by=caller.principal)
    )


@router.post(
    "/resets/{user_id}",
    operation_id="offer_password_reset",
    summary="Let a user choose a new password",
    status_code=201,
    responses=_CHANGE,
)
async def offer_password_reset(caller: Administrator, user_id: str) -> NewLinkDTO:
    """By the link, once and within a day. Until then the old password is good. No mail is sent."""
    return NewLinkDTO.made(await caller.studio.accounts.offer_reset(user_id, by=caller.principal))


@router.delete("/{link_id}", operation_id="delete_link", summary="End a link", status_code=204, responses=_ONE)
async def delete_link(caller: Administrator, link_id: str) -> None:
    async with caller.change() as work:
        await work.account_links.delete(link_id)


@open_router.post("/redeem", operation_id="redeem_link", summary="Use a link", responses=_CHANGE)
async def redeem_link(request: RedeemRequest, studio: Anybody, asking: Request) -> UserDTO:
    """Make the account, or give it the password, that the link is for. A refused password leaves the link good."""
    user = await studio.accounts.redeem(
        request.secret.get_secret_value(),
        request.password.get_secret_value(),
        display_name=request.display_name,
        address=address_of(asking),
    )
    return UserDTO.of(user)
