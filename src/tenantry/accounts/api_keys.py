"""API keys: how they look, and how they are made. 256 random bits need no slow hash: nobody guesses them."""

import hashlib
import secrets
from dataclasses import dataclass, field

from tenantry.repositories.api_keys import ApiKey

__all__ = ["NewApiKey", "digest", "is_api_key", "new_secret", "shown_part"]

_MARK = "tny_"
"""How every key begins, so that people and programs that look for leaked secrets recognise it. No token begins so."""

_SHOWN = 10
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was made just now, and the secret that is shown this once."""

    key: ApiKey
    secret: str = field(repr=False)


def new_secret() -> str:
    """A key that nobody ever had."""
    return _MARK + secrets.token_urlsafe(32)


def is_api_key(token: str) -> bool:
    """Whether what somebody sent looks like a key, and not like an access token."""
    return token.startswith(_MARK) and len(token) <= _LONGEST


def shown_part(secret: str) -> str:
    """The beginning of a key, by which its owner recognises it."""
    return secret[:_SHOWN]


def digest(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
