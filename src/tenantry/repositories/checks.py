"""Checks of what goes into the database."""

import json
from enum import StrEnum
from typing import Any, TypeVar

from tenantry.errors import InvalidInput

__all__ = ["MAX_DOCUMENT", "MAX_NAME", "check_choice", "check_json", "check_name", "check_text"]

E = TypeVar("E", bound=StrEnum)

MAX_NAME = 300
"""Characters of a name at most, as InvokeAI's boards have it."""

MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes of a JSON document or another long text at most."""


def check_text(value: str, field: str, *, most: int = MAX_DOCUMENT) -> str:
    """Refuse NUL bytes, lone surrogates, which no database stores, and what is too long."""
    if "\0" in value:
        raise InvalidInput("Text must not contain NUL bytes.", field=field, remedy="Remove the NUL bytes.")
    if len(value) > most:
        raise InvalidInput(f"This is longer than {most} characters.", field=field, remedy="Shorten it.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("Text must be valid Unicode.", field=field, remedy="Remove the broken characters.") from None
    return value


def check_name(value: str, field: str) -> str:
    """A name has 1 to 300 characters, not only blanks."""
    if not value.strip():
        raise InvalidInput("A name must not be empty.", field=field, remedy="Give a name.")
    return check_text(value, field, most=MAX_NAME)


def check_json(text: str, field: str) -> Any:
    """Refuse what is not JSON; answers the parsed document. The text itself is stored as it came."""
    check_text(text, field)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("This is not valid JSON.", field=field, remedy="Send a JSON document.") from None


def check_choice(value: str, choices: type[E], field: str) -> E:
    """One of an enumeration's values."""
    try:
        return choices(value)
    except ValueError:
        allowed = ", ".join(choices)
        raise InvalidInput("This is not one of the allowed values.", field=field, remedy=f"Use one of: {allowed}.") from None
