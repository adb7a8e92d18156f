"""Events as lines: for people, and for programs."""

import json
import time
from collections.abc import Iterator
from datetime import datetime

from tenantry.cli.showing import safe
from tenantry.events import Event, Refetch

__all__ = ["json_line", "line"]

_UNTOLD = {
    "timestamp",
    "event_id",
    "created_at",
    "updated_at",
    "started_at",
    "completed_at",
    "status_sequence",
    "error_traceback",
}
"""Fields that tell a person nothing, or what the line says already."""

_WIDTH = 28
_MOST = 5
_LONGEST = 80
"""Columns of a name, entries of a list, and characters of a text."""


def json_line(event: Event | Refetch) -> str:
    """All of an event in one line of ASCII, with its name as `event`."""
    return json.dumps({"event": event.name, **event.model_dump(mode="json")})


def line(event: Event | Refetch) -> str:
    """When, what, and what tells most about it; nothing of it steers the terminal."""
    moment = event.timestamp if isinstance(event, Event) else time.time()
    told = " ".join(_told(event.model_dump(mode="json")))
    return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S}  {event.name:{_WIDTH}} {told}".rstrip()


def _told(fields: dict[str, object]) -> Iterator[str]:
    for name, value in fields.items():
        if name not in _UNTOLD and value is not None and not isinstance(value, dict):
            yield f"{name}={_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        more = f",+{len(value) - _MOST}" if len(value) > _MOST else ""
        return ",".join(map(_shown, value[:_MOST])) + more
    if not isinstance(value, str):
        return json.dumps(value)
    short = value if len(value) <= _LONGEST else value[:_LONGEST] + "\N{HORIZONTAL ELLIPSIS}"
    text = safe(short)
    return f'"{text}"' if " " in text or not text else text
