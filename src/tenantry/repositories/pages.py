"""Pages of lists: by offset with a total, as InvokeAI's clients ask, and by keyset, which costs the same anywhere."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tenantry.errors import InvalidCursor, InvalidInput

__all__ = ["MAX_LIMIT", "Page", "Slice", "check_window", "decode_cursor", "encode_cursor"]

T = TypeVar("T")
Key = Sequence[str | int | float | bool | None]

MAX_LIMIT = 1_000
"""Rows of one page at most."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows from `offset` on, at most `limit`, of `total`."""

    items: list[T]
    total: int
    offset: int
    limit: int

    @property
    def has_more(self) -> bool:
        return self.offset + len(self.items) < self.total


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """The rows after a cursor; `next_cursor` is None at the end of the list."""

    items: list[T]
    next_cursor: str | None


def check_window(limit: int, offset: int = 0) -> None:
    """Raise `InvalidInput` unless a page of this size and place can be asked for."""
    if not 0 < limit <= MAX_LIMIT:
        raise InvalidInput(f"The limit must be from 1 to {MAX_LIMIT}.", field="limit")
    if offset < 0:
        raise InvalidInput("The offset must not be negative.", field="offset")


def encode_cursor(list_name: str, filters: object, key: Key) -> str:
    """Name the place of the row with this sort key in this list under these filters."""
    text = json.dumps([_digest(list_name, filters), *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, list_name: str, filters: object, types: Sequence[type]) -> list[str | int | float | bool | None]:
    """The sort key that a cursor names; `types` are what its parts must be (None is allowed for text).

    Raises `InvalidCursor` for a cursor that was not made by this list under the same filters. A cursor gives no rights: the
    rows behind it are scoped like any other's.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, UnicodeDecodeError, RecursionError):
        raise InvalidCursor from None
    if not isinstance(parts, list) or len(parts) != len(types) + 1 or parts[0] != _digest(list_name, filters):
        raise InvalidCursor
    key = parts[1:]
    for part, expected in zip(key, types, strict=True):
        if not (type(part) is expected or (part is None and expected is str)):
            raise InvalidCursor
        if isinstance(part, int) and abs(part) >= 2**63:
            raise InvalidCursor
    return key


def _digest(list_name: str, filters: object) -> str:
    return hashlib.blake2b(f"{list_name}|{filters!r}".encode(), digest_size=6).hexdigest()
