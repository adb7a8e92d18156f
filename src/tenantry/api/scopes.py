"""What an API key needs for which request: the one place where a key is held to its scopes over HTTP."""

from dataclasses import dataclass

from fastapi import Request
from fastapi.routing import APIRoute

from tenantry.errors import NotAllowed
from tenantry.tenancy import Principal, Scope

__all__ = ["NEEDED", "Needed", "check_scope"]


@dataclass(frozen=True, slots=True)
class Needed:
    """The scopes for reading and for changing; None where no key is enough and its user must log in."""

    to_read: Scope | None = Scope.READ
    to_change: Scope | None = Scope.LIBRARY


NEEDED: dict[str, Needed] = {
    "authentication": Needed(to_change=None),
    # A key that makes keys would outlive itself.
    "api_keys": Needed(to_read=None, to_change=None),
    "administration": Needed(Scope.ADMIN, Scope.ADMIN),
    "queue": Needed(to_change=Scope.QUEUE),
    "boards": Needed(),
    "images": Needed(),
    "videos": Needed(),
    "gallery": Needed(),
    "virtual_boards": Needed(),
    "workflows": Needed(),
    "style_presets": Needed(),
    "system_prompts": Needed(),
    "client_state": Needed(),
}
"""By the part of the API; to one that is not named here no key opens anything."""

_NOTHING = Needed(None, None)
_READING = {"get_images_by_names", "get_queue_items_by_item_ids", "get_queue_item_summaries_by_ids"}
"""What only reads though its method is another."""


def check_scope(request: Request, principal: Principal) -> None:
    """Raise `NotAllowed` for a key that may not be used for this request."""
    if principal.scopes is None:
        return
    route = request.scope.get("route")
    parts = [NEEDED.get(str(tag), _NOTHING) for tag in route.tags] if isinstance(route, APIRoute) else []
    reads = request.method in {"GET", "HEAD"} or (isinstance(route, APIRoute) and route.operation_id in _READING)
    for needed in parts or [_NOTHING]:
        scope = needed.to_read if reads else needed.to_change
        if scope is None:
            raise NotAllowed("This cannot be done with an API key.", remedy="Log in with e-mail address and password.")
        principal.require(scope)
