"""Access tokens: signed claims about who somebody is, as InvokeAI writes them (contract, section 5).

A token says who one is and no more: which rights that user has is read from the database at each request.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from tenantry.errors import AuthenticationFailed, TenantryError
from tenantry.repositories.users import User
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["SECRET_SETTING", "Claims", "check_secret", "derived", "issue", "new_secret", "read", "refused"]

SECRET_SETTING = "jwt_secret"  # noqa: S105
"""The setting that holds what signs access tokens, the same on every server of a studio."""

_ALGORITHM = "HS256"
_REQUIRED: dict[str, type] = {"user_id": str, "email": str, "is_admin": bool, "remember_me": bool, "token_epoch": int}
_LONGEST = 8_192
_SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says; `expires_at` is in seconds since 1970."""

    user_id: str
    email: str
    is_admin: bool
    remember_me: bool
    token_epoch: int
    expires_at: int


def issue(user: User, secret: str, *, now: datetime, lifetime: timedelta, remember_me: bool) -> str:
    """A token for a user, good from now for its lifetime."""
    claims = {
        "user_id": user.user_id,
        "email": user.email,
        "is_admin": user.is_admin,
        "remember_me": remember_me,
        "token_epoch": user.token_epoch,
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read(token: str, secret: str, *, now: datetime) -> Claims:
    """The claims of a token. Raises `AuthenticationFailed` for one that is not genuine, whole, and still good."""
    if len(token) > _LONGEST:
        raise refused()
    try:
        # The time is compared below, with the clock that everything else goes by.
        options: Any = {"require": [*_REQUIRED, "exp"], "verify_exp": False}
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise refused() from None
    if any(type(claims[name]) is not kind for name, kind in _REQUIRED.items()) or type(claims["exp"]) is not int:
        raise refused()
    if claims["exp"] <= now.timestamp() or claims["user_id"] == SYSTEM_USER_ID:
        raise refused()
    return Claims(**{name: claims[name] for name in _REQUIRED}, expires_at=claims["exp"])


def new_secret() -> str:
    """A secret of 64 hexadecimal digits, as InvokeAI makes them (contract, section 4.8)."""
    return secrets.token_hex(32)


def derived(secret: str, purpose: str) -> str:
    """A secret that follows from another and does not lead back to it (RFC 2104)."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def check_secret(secret: str) -> str:
    """Refuse a secret so short that tokens could be forged."""
    if len(secret) < _SHORTEST_SECRET:
        raise TenantryError(
            "The secret that signs access tokens is too short.",
            field=SECRET_SETTING,
            remedy="Remove the setting jwt_secret; a new secret is made then, and everybody logs in again.",
        )
    return secret


def refused() -> AuthenticationFailed:
    """The same for every token, so that it tells nothing."""
    return AuthenticationFailed("This token is not valid.", remedy="Log in again.")
