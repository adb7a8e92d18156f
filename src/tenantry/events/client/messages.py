"""What a server says, as values.

A server may be newer than this client. Of an event that both know, fields that only the server knows are left out; an event
that only the server knows is left out altogether, and named in the log at the level `debug`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from tenantry.events.types import EVENT_TYPES, Event, Part

__all__ = ["Connected", "Refetch", "read"]

_log = structlog.get_logger()


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)

    event_id: str
    """The place in the order of delivery that the stream is at."""


class Connected(_Message):
    """The server's greeting. Its id is where the stream begins for whoever did not say where to go on."""


class Refetch(_Message):
    """Events were missed that are not kept any more: fetch everything anew, then go on with what follows."""

    name: ClassVar[str] = "refetch"


_OWN: Mapping[str, type[_Message]] = {"connected": Connected, "refetch": Refetch}


def read(name: str, payload: object) -> Event | Connected | Refetch | None:
    """The message of this name; None for one that is not known here or cannot be read, which is logged."""
    kind = _OWN.get(name) or EVENT_TYPES.get(name)
    if kind is None:
        _log.debug("the server sent an event that is not known here", name=name)
        return None
    try:
        value = kind.model_validate(_known(kind, payload))
    except ValidationError as error:
        _log.warning("the server sent an event that cannot be read", name=name, fields=_places(error))
        return None
    return value if isinstance(value, Event | Connected | Refetch) else None


def _known(kind: type[BaseModel], payload: object) -> object:
    """The part of a payload that this client knows."""
    if not isinstance(payload, Mapping):
        return payload
    fields = kind.model_fields.items()
    return {name: _known_value(field.annotation, payload[name]) for name, field in fields if name in payload}


def _known_value(annotation: Any, value: object) -> object:
    return _known(annotation, value) if isinstance(annotation, type) and issubclass(annotation, Part) else value


def _places(error: ValidationError) -> list[str]:
    """Where the errors are; not what stands there, which is the user's."""
    return [".".join(map(str, entry["loc"])) for entry in error.errors(include_input=False)]
