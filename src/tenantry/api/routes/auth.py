"""Logging in, and who one is."""

import time
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from tenantry.accounts import Strength, feedback, strength, suggestion
from tenantry.api.caller import MEDIA_COOKIE, Anybody, Bearer, Caller, LoggedIn, SettingsDependency, SignedIn, address_of
from tenantry.api.problems import responses
from tenantry.api.shapes.accounts import (
    LoginRequest,
    LoginResponse,
    PasswordFeedback,
    PasswordRequest,
    ProfileChanges,
    SetupRequest,
    SetupResponse,
    SetupStatus,
    Success,
    SuggestedPassword,
    UserDTO,
)
from tenantry.errors import NotAllowed
from tenantry.repositories import User
from tenantry.settings import Settings

__all__ = ["router"]

router = APIRouter(prefix="/auth", tags=["authentication"])
_KNOWN = responses(HTTPStatus.UNAUTHORIZED)
_LOGIN = responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_CHANGE = responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
_OPEN = responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@router.get("/status", operation_id="get_setup_status", summary="Whether to log in, or to set up first")
async def get_setup_status(studio: Anybody, settings: SettingsDependency) -> SetupStatus:
    return SetupStatus(
        setup_required=settings.multiuser and not await studio.accounts.has_administrator(),
        multiuser_enabled=settings.multiuser,
        strict_password_checking=settings.strict_passwords,
    )


@router.post("/login", operation_id="login", summary="Log in", responses=_LOGIN)
async def login(
    credentials: LoginRequest, request: Request, response: Response, studio: Anybody, settings: SettingsDependency
) -> LoginResponse:
    """Exchange e-mail address and password for a token. After too many failures it says when to try again."""
    _require_users(settings)
    user = await studio.accounts.authenticate(
        credentials.email, credentials.password.get_secret_value(), address=address_of(request)
    )
    token = await studio.accounts.issue(user, remember_me=credentials.remember_me)
    days = settings.remembered_token_days if credentials.remember_me else settings.token_days
    lifetime = int(days * 86_400)
    _set_media_cookie(request, response, token, lifetime)
    return LoginResponse(token=token, user=UserDTO.of(user), expires_in=lifetime)


@router.post("/setup", operation_id="setup_admin", summary="Create the first administrator", responses=_OPEN)
async def setup_admin(setup: SetupRequest, request: Request, studio: Anybody, settings: SettingsDependency) -> SetupResponse:
    """Possible only while there is no active administrator."""
    _require_users(settings)
    user = await studio.accounts.register_first_administrator(
        setup.email,
        password=setup.password.get_secret_value(),
        display_name=setup.display_name,
        address=address_of(request),
    )
    return SetupResponse(user=UserDTO.of(user))


@router.post("/logout", operation_id="logout", summary="Log out", responses=_KNOWN)
async def logout(_: LoggedIn, request: Request, response: Response) -> Success:
    """Forget the media cookie; the client forgets the token."""
    response.delete_cookie(MEDIA_COOKIE, path=_cookie_path(request))
    return Success()


@router.get("/me", operation_id="get_current_user_info", summary="Who one is", responses=_KNOWN)
async def get_current_user_info(caller: LoggedIn, studio: Anybody) -> UserDTO:
    return UserDTO.of(await studio.accounts.user(caller.user_id))


@router.patch("/me", operation_id="update_current_user", summary="Change one's name or password", responses=_CHANGE)
async def update_current_user(
    caller: LoggedIn, changes: ProfileChanges, request: Request, response: Response, credentials: Bearer
) -> UserDTO:
    """Change the name to show, the password, or both.

    A new password takes the current one, ends all tokens, and all API keys unless they are kept. The header `X-Refreshed-Token`
    then holds a new token, and the media cookie too.
    """
    if changes.new_password is None:
        async with caller.change() as work:
            return UserDTO.of(await work.users.update(caller.user_id, display_name=changes.display_name))
    user = await caller.studio.accounts.change_password(
        caller.user_id,
        changes.current_password.get_secret_value() if changes.current_password else "",
        changes.new_password.get_secret_value(),
        keep_keys=changes.keep_api_keys,
        display_name=changes.display_name,
        by=caller.principal,
    )
    if credentials is not None:
        await _refresh(caller, user, credentials.credentials, request, response)
    return UserDTO.of(user)


@router.get("/generate-password", operation_id="generate_password", summary="Suggest a strong password", responses=_KNOWN)
async def generate_password(_: LoggedIn) -> SuggestedPassword:
    """Another one each time; nothing remembers it."""
    return SuggestedPassword(password=suggestion())


@router.post("/password-strength", operation_id="check_password_strength", summary="Judge a password")
async def check_password_strength(request: PasswordRequest, settings: SettingsDependency) -> PasswordFeedback:
    """How strong it is, whether it would be taken, and what would make it strong. It is neither kept nor logged."""
    password = request.password.get_secret_value()
    judged = strength(password)
    accepted = bool(password) and (judged is Strength.STRONG or not settings.strict_passwords)
    return PasswordFeedback(strength=judged, accepted=accepted, wanted=feedback(password))


@router.post("/media-cookie", operation_id="refresh_media_cookie", summary="Let pictures load", responses=_KNOWN)
async def refresh_media_cookie(
    _: SignedIn,
    request: Request,
    response: Response,
    studio: Anybody,
    credentials: Bearer,
    settings: SettingsDependency,
) -> Success:
    """Set the cookie by which `<img>` and `<video>` prove who asks; logging in sets it too."""
    if credentials is not None and settings.multiuser:
        claims = await studio.accounts.claims(credentials.credentials)
        _set_media_cookie(request, response, credentials.credentials, max(0, claims.expires_at - int(time.time())))
    return Success()


async def _refresh(caller: Caller, user: User, old: str, request: Request, response: Response) -> None:
    """Let whoever has just proved themselves go on, for as long as they could before."""
    remembered = (await caller.studio.accounts.claims(old)).remember_me
    token = await caller.studio.accounts.issue(user, remember_me=remembered)
    response.headers["X-Refreshed-Token"] = token
    days = caller.settings.remembered_token_days if remembered else caller.settings.token_days
    _set_media_cookie(request, response, token, int(days * 86_400))


def _require_users(settings: Settings) -> None:
    if not settings.multiuser:
        raise NotAllowed("This studio has one user, who does not log in.")


def _set_media_cookie(request: Request, response: Response, token: str, lifetime: int) -> None:
    """The cookie lives as long as the token in it, in seconds."""
    response.set_cookie(
        MEDIA_COOKIE,
        token,
        max_age=lifetime,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
        path=_cookie_path(request),
    )


def _cookie_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/api/v1"
