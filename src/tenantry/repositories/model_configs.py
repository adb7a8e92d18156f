"""What Tenantry reads from a model's JSON configuration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.errors import InvalidInput
from tenantry.repositories.checks import MAX_NAME, check_json, check_name, check_text

__all__ = ["ModelColumns", "model_columns", "with_changes"]

_MAX_PATH_BYTES = 2_500
"""PostgreSQL has no index entries over 2,704 bytes, and paths are unique."""


@dataclass(frozen=True, slots=True)
class ModelColumns:
    """The columns that models are found and ordered by; `file_size` in bytes."""

    model_key: str
    hash: str
    base: str
    type: str
    path: str
    format: str
    name: str
    source: str
    source_type: str
    description: str | None
    file_size: int


def model_columns(config: str) -> ModelColumns:
    """Read a configuration's columns. Raises `InvalidInput`, naming the member that is missing or wrong."""
    members = _parsed(config)
    return ModelColumns(
        model_key=check_name(_text(members, "key"), "key"),
        hash=_short(members, "hash"),
        base=_short(members, "base"),
        type=_short(members, "type"),
        path=_check_path(_text(members, "path")),
        format=_short(members, "format"),
        name=_short(members, "name"),
        source=check_text(_text(members, "source"), "source"),
        source_type=_short(members, "source_type"),
        description=None if members.get("description") is None else check_text(_text(members, "description"), "description"),
        file_size=_check_size(members.get("file_size")),
    )


def with_changes(config: str, changes: Mapping[str, object]) -> str:
    """The configuration with some members changed, None among the values."""
    try:
        return json.dumps(_parsed(config) | dict(changes), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise InvalidInput("The changes cannot be written as JSON.", field="changes") from None


def _parsed(config: str) -> dict[str, Any]:
    members = check_json(config, "config")
    if not isinstance(members, dict):
        raise InvalidInput("A model's configuration is a JSON object.", field="config")
    return members


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise InvalidInput("A model's configuration must have this text.", field=name)
    return value


def _short(members: dict[str, Any], name: str) -> str:
    return check_text(_text(members, name), name, most=MAX_NAME)


def _check_path(path: str) -> str:
    check_text(path, "path")
    if len(path.encode()) > _MAX_PATH_BYTES:
        raise InvalidInput(f"This is longer than {_MAX_PATH_BYTES} bytes.", field="path", remedy="Move the model.")
    return path


def _check_size(size: object) -> int:
    if type(size) is not int or not 0 <= size < 2**63:
        raise InvalidInput("This is not a number of bytes.", field="file_size")
    return size
