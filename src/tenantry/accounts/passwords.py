"""Passwords: how strong they must be, how they are hashed, and how they are checked without telling who exists.

Hashing takes a third of a second on purpose, so it runs in a thread and never inside a transaction.
"""

import asyncio
import re
import secrets
from enum import StrEnum

import bcrypt

from tenantry.errors import InvalidInput

__all__ = [
    "DEFAULT_COST",
    "Strength",
    "check_password",
    "feedback",
    "hash_password",
    "password_matches",
    "strength",
    "suggestion",
]

DEFAULT_COST = 12
"""The logarithm of bcrypt's rounds."""

MIN_LENGTH = 8
MAX_LENGTH = 1_000

_SUGGESTED_BYTES = 15
_BCRYPT_BYTES = 72
# Up to the highest cost that the settings allow; a hash of cost 31 would keep a thread busy for days.
_BCRYPT_HASH = re.compile(r"\$2[abxy]\$(0[4-9]|1[0-8])\$[./A-Za-z0-9]{53}")
_NOBODYS_SALT_AND_HASH = "LgvQHtqBXnmWGbGwqcyzfOiFZzN1FyuTUK6k1oqWRFrQ9pBQyXLiC"


class Strength(StrEnum):
    """How well a password resists guessing: too short; long enough; of all kinds of characters too."""

    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"


def feedback(password: str) -> list[str]:
    """What would make a password strong, as parts of a sentence; nothing for one that is (contract, section 4.10)."""
    wanted = {
        f"at least {MIN_LENGTH} characters": len(password) >= MIN_LENGTH,
        "an upper-case letter": any(character.isupper() for character in password),
        "a lower-case letter": any(character.islower() for character in password),
        "a digit": any(character.isdigit() for character in password),
    }
    return [wish for wish, fulfilled in wanted.items() if not fulfilled]


def strength(password: str) -> Strength:
    """How strong a password is."""
    if len(password) < MIN_LENGTH:
        return Strength.WEAK
    return Strength.MODERATE if feedback(password) else Strength.STRONG


def suggestion() -> str:
    """A strong password that nobody ever had."""
    while True:
        password = secrets.token_urlsafe(_SUGGESTED_BYTES)
        if strength(password) is Strength.STRONG:
            return password


def check_password(password: str, *, strict: bool = True) -> None:
    """Refuse what cannot be a password, and with `strict` what is not a strong one. Raises `InvalidInput`."""
    if not password:
        raise InvalidInput("A password must not be empty.", field="password", remedy="Choose a password.")
    if len(password) > MAX_LENGTH:
        raise InvalidInput(f"A password has at most {MAX_LENGTH} characters.", field="password", remedy="Shorten it.")
    if _bytes_of(password) is None:
        raise InvalidInput(
            "A password must be valid Unicode without NUL bytes.", field="password", remedy="Use other characters."
        )
    wishes = feedback(password) if strict else []
    if wishes:
        raise InvalidInput("The password is too weak.", field="password", remedy=f"Use {_listed(wishes)}.")


async def hash_password(password: str, cost: int = DEFAULT_COST) -> str:
    """A new salted hash, which InvokeAI can check too. Raises `InvalidInput` for what cannot be a password."""
    check_password(password, strict=False)
    return await asyncio.to_thread(_hash, password, cost)


async def password_matches(password: str, password_hash: str | None, cost: int = DEFAULT_COST) -> bool:
    """Whether a password is the one of a hash.

    Without a hash, or with what is none, the answer is no and takes as long as for a wrong password.
    """
    return await asyncio.to_thread(_matches, password, password_hash, cost)


def _hash(password: str, cost: int) -> str:
    secret = _bytes_of(password)
    assert secret is not None
    return bcrypt.hashpw(secret, bcrypt.gensalt(cost)).decode()


def _matches(password: str, password_hash: str | None, cost: int) -> bool:
    secret = _bytes_of(password)
    if secret is None:
        return False
    # An import may bring anything as a hash, and some versions of bcrypt abort on what is none.
    usable = bool(password_hash and _BCRYPT_HASH.fullmatch(password_hash))
    known = password_hash if password_hash and usable else f"$2b${cost:02d}${_NOBODYS_SALT_AND_HASH}"
    try:
        return bcrypt.checkpw(secret, known.encode()) and usable
    except ValueError:
        return False


def _bytes_of(password: str) -> bytes | None:
    """What of a password counts, or None for what never was a password.

    bcrypt reads 72 bytes, and InvokeAI cuts there too but never through a character; newer bcrypt leaves the cutting to us.
    """
    try:
        whole = password.encode()
    except UnicodeEncodeError:
        return None
    if b"\0" in whole:
        return None
    return whole[:_BCRYPT_BYTES].decode(errors="ignore").encode()


def _listed(wishes: list[str]) -> str:
    return wishes[0] if len(wishes) == 1 else f"{', '.join(wishes[:-1])} and {wishes[-1]}"
