"""Who makes a request, and the units of work that are done for them."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from secrets import compare_digest
from typing import Annotated

from fastapi import Cookie, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tenantry.api.scopes import check_scope
from tenantry.errors import AuthenticationFailed, NotAllowed
from tenantry.queue import UnitOfWork
from tenantry.settings import Settings
from tenantry.studio import Studio
from tenantry.tenancy import SYSTEM_USER_ID, Method, Principal

__all__ = [
    "MEDIA_COOKIE",
    "Administrator",
    "Anybody",
    "Bearer",
    "Caller",
    "LoggedIn",
    "MediaViewer",
    "MetricsReader",
    "SettingsDependency",
    "SignedIn",
    "StudioDependency",
    "address_of",
]

MEDIA_COOKIE = "tenantry_media"
"""Holds the access token for `<img>` and `<video>`, which cannot send headers; only reads of files accept it."""

_bearer = HTTPBearer(auto_error=False, description="The token that `POST /api/v1/auth/login` gives, or an API key.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
MediaCookie = Annotated[str | None, Cookie(alias=MEDIA_COOKIE, include_in_schema=False)]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user at work in a studio."""

    studio: Studio
    settings: Settings
    principal: Principal

    @property
    def user_id(self) -> str:
        return self.principal.user_id

    @property
    def is_admin(self) -> bool:
        return self.principal.is_admin

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A snapshot to read from."""
        return self.studio.read(self.principal)

    def change(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that commits at the end of its block, before the answer is sent."""
        return self.studio.begin(self.principal)


def get_studio(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


StudioDependency = Annotated[Studio, Depends(get_studio)]
SettingsDependency = Annotated[Settings, Depends(get_settings)]


async def signed_in(request: Request, studio: StudioDependency, settings: SettingsDependency, credentials: Bearer) -> Caller:
    """The user whose token or API key came with the request; everybody is the system user where there are no users."""
    return await _identify(request, studio, settings, credentials.credentials if credentials else None)


async def media_viewer(
    request: Request,
    studio: StudioDependency,
    settings: SettingsDependency,
    credentials: Bearer,
    cookie: MediaCookie = None,
) -> Caller:
    """Like `signed_in`; the media cookie is also a proof."""
    return await _identify(request, studio, settings, credentials.credentials if credentials else cookie)


async def logged_in(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """Somebody with a token. Raises `AuthenticationFailed` in a studio that has none to give (contract, section 7)."""
    if caller.principal.method is Method.SINGLE_USER:
        raise AuthenticationFailed("Nobody is logged in.", remedy="This studio has one user, who need not log in.")
    return caller


async def administrator(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """Raises `NotAllowed` for everybody else."""
    if not caller.is_admin:
        raise NotAllowed("Only an administrator may do this.")
    return caller


async def metrics_reader(request: Request, studio: StudioDependency, settings: SettingsDependency, credentials: Bearer) -> None:
    """Lets in who shows the token for metrics, and administrators. Raises `NotAllowed` for everybody else."""
    shown, token = credentials.credentials if credentials else None, settings.metrics_token
    if shown and token is not None and compare_digest(shown.encode(), token.get_secret_value().encode()):
        return
    await administrator(await _identify(request, studio, settings, shown))


async def _identify(request: Request, studio: Studio, settings: Settings, token: str | None) -> Caller:
    if not settings.multiuser:
        _refuse_other_pages(request, settings)
        alone = Principal(SYSTEM_USER_ID, is_admin=True, method=Method.SINGLE_USER, address=address_of(request))
        return Caller(studio, settings, alone)
    if not token:
        raise AuthenticationFailed("Nobody is logged in.", remedy="Send the header `Authorization: Bearer TOKEN`.")
    principal = await studio.accounts.identify(token)
    check_scope(request, principal)
    return Caller(studio, settings, replace(principal, address=address_of(request)))


def address_of(request: Request) -> str | None:
    """The network address from which a request came, as far as proxies are trusted to say."""
    return request.client.host if request.client else None


def _refuse_other_pages(request: Request, settings: Settings) -> None:
    """Refuse a change that a page of another origin asks for, by what browsers say of a request.

    Where nobody logs in, no secret shows that the user meant it, and some changes need no more than a form.
    """
    foreign = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    if foreign and request.method not in {"GET", "HEAD"} and request.headers.get("origin") not in settings.origins:
        raise NotAllowed(
            "Pages of other origins may change nothing here.", remedy="Name the page's origin in TENANTRY_ALLOWED_ORIGINS."
        )


SignedIn = Annotated[Caller, Depends(signed_in)]
LoggedIn = Annotated[Caller, Depends(logged_in)]
MediaViewer = Annotated[Caller, Depends(media_viewer)]
Administrator = Annotated[Caller, Depends(administrator)]
MetricsReader = Depends(metrics_reader)
Anybody = Annotated[Studio, Depends(get_studio)]
