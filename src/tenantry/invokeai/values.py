"""How single values come from InvokeAI's untyped columns into typed ones and go back.

`bring` always gives something that the column can hold. What `give` does not turn back into the original is kept as residue.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "FLAG",
    "INTEGER",
    "LARGE",
    "OPTIONAL_LARGE",
    "OPTIONAL_REAL",
    "OPTIONAL_TEXT",
    "REAL",
    "TEXT",
    "Value",
    "choice",
    "same",
]

_TRUE = {"1", "true", "yes", "on", "t", "y"}


@dataclass(frozen=True, slots=True)
class Value:
    """A pair of conversions; for values of the usual type both change nothing."""

    bring: Callable[[object], object]
    give: Callable[[object], object] = lambda value: value


def same(one: object, other: object) -> bool:
    """Whether two values of a SQLite column are the same, type included."""
    return type(one) is type(other) and one == other


def choice(*allowed: str, otherwise: str) -> Value:
    """One of a few texts."""
    return Value(lambda value: value if value in allowed else otherwise)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace").replace("\0", "")
    return "" if value is None else str(value)


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _flag(value: object) -> bool:
    if isinstance(value, int | float):
        return bool(value)
    return _text(value).strip().lower() in _TRUE


def _whole(bits: int) -> Callable[[object], int | None]:
    most = 2 ** (bits - 1) - 1

    def bring(value: object) -> int | None:
        if isinstance(value, float) and math.isfinite(value):
            value = int(value)
        return max(-most - 1, min(most, value)) if isinstance(value, int) else None

    return bring


def _or_zero(bring: Callable[[object], int | None]) -> Callable[[object], int]:
    return lambda value: bring(value) or 0


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


TEXT = Value(_text)
OPTIONAL_TEXT = Value(_optional_text)
FLAG = Value(_flag, lambda value: int(bool(value)))
INTEGER = Value(_or_zero(_whole(32)))
OPTIONAL_INTEGER = Value(_whole(32))
LARGE = Value(_or_zero(_whole(64)))
OPTIONAL_LARGE = Value(_whole(64))
REAL = Value(lambda value: _real(value) or 0.0)
OPTIONAL_REAL = Value(_real)
