"""Shapes that several parts of the API share."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import to_json

from tenantry.repositories.pages import MAX_LIMIT

__all__ = [
    "MAX_NAMES",
    "Direction",
    "ItemName",
    "Label",
    "Limit",
    "MediaCategory",
    "NumberedPage",
    "Offset",
    "OffsetPage",
    "Origin",
    "can_be_sent",
    "json_object",
    "moment",
]

T = TypeVar("T")

MAX_NAMES = 1_000
"""Names in one request at most."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL bytes")
    return text


Label = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_without_nul)]
"""A name that users give to things of theirs."""

ItemName = Annotated[str, StringConstraints(max_length=255), AfterValidator(_without_nul)]
"""The name of an image or video in a request."""

Offset = Annotated[int, Field(ge=0, le=2**63 - 1, description="How many to leave out at the start.")]
Limit = Annotated[int, Field(ge=0, le=MAX_LIMIT, description="How many to give at most; 0 only counts.")]


def can_be_sent(document: object, *, within: int = 3) -> bool:
    """Whether a parsed JSON document can be written into an answer, `within` so many lists or objects."""
    for _ in range(within):
        document = [document]
    try:
        # Broken Unicode and nesting without end show in writing alone.
        to_json(document)
    except (ValueError, RecursionError):
        return False
    return True


def json_object(text: str | None) -> dict[str, Any] | None:
    """The JSON object that was stored; None where there is none that can be sent, which only an import brings."""
    try:
        document = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and can_be_sent(document) else None


def moment(text: str) -> datetime:
    """The time that was stored; the year 1970 for what is none, which only an import brings."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime(1970, 1, 1)


class Direction(StrEnum):
    """The order of a list."""

    ASCENDING = "ASC"
    DESCENDING = "DESC"


class Origin(StrEnum):
    """Where an image or video came from: made by the studio, or brought in."""

    INTERNAL = "internal"
    EXTERNAL = "external"


class MediaCategory(StrEnum):
    """What an image or video is for: the result of a generation, or one of four kinds of asset."""

    GENERAL = "general"
    MASK = "mask"
    CONTROL = "control"
    USER = "user"
    OTHER = "other"


class OffsetPage(BaseModel, Generic[T]):
    """A part of a list, by place."""

    limit: int = Field(description="How many were asked for.")
    offset: int = Field(description="How many were left out at the start.")
    total: int = Field(description="How many there are.")
    items: list[T]


class NumberedPage(BaseModel, Generic[T]):
    """A part of a list, by page number from 0."""

    page: int
    pages: int
    per_page: int
    total: int
    items: list[T]
