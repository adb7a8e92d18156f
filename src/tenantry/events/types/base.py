"""What every event is: a name, a payload, who gets it whole, and what others get of it."""

from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict

__all__ = ["EVENT_TYPES", "Audience", "Emptied", "Event", "Hidden", "Others", "Part", "Redacted", "Shown"]

T = TypeVar("T")


class Audience(StrEnum):
    """Who gets an event whole, and who are the others that may get something of it."""

    NOBODY = "the servers alone"
    OWNER = "the owner; no others"
    OWNER_AND_ADMINS = "the owner and administrators; no others"
    ADMINS = "administrators; no others"
    QUEUE = "the owner and administrators; others are the queue's subscribers"
    BOARD = "the owner and administrators; others are those who may see the board"
    WORKFLOW = "the owner and administrators; others are everybody, where the workflow is public"

    @property
    def has_others(self) -> bool:
        return self in {Audience.QUEUE, Audience.BOARD, Audience.WORKFLOW}


class Others(Enum):
    """What the others of an audience get."""

    NOTHING = "nothing"
    REDACTED = "the event with its marked fields replaced"


class _Mark:
    """What others get in a field's place."""

    def __init__(self, shown: bool, value: object = None) -> None:
        self.shown = shown
        self.value = value


Shown = Annotated[T, _Mark(shown=True)]
"""A field that others get as it is; a part of an event, with its own marked fields replaced."""

Hidden = Annotated[T, _Mark(shown=False)]
"""A field of which others get None."""

Redacted = Annotated[T, _Mark(shown=False, value="redacted")]
"""A text, if there is one, of which others get `redacted` (contract, section 3)."""

Emptied = Annotated[T, _Mark(shown=False, value=())]
"""A list or an object of which others get an empty one."""


class Part(BaseModel):
    """A payload, or a part of one, whose every field says what others get of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def redacted(self) -> Self:
        """What others get."""
        return self.model_copy(update={name: _replaced(getattr(self, name), mark) for name, mark in _marks(type(self)).items()})


class Event(Part):
    """Something that happened. A subclass states its name, its audience, and what others get; without, it does not import."""

    name: ClassVar[str]
    audience: ClassVar[Audience]
    others: ClassVar[Others]

    timestamp: Shown[int]
    """Seconds since 1970."""

    event_id: Shown[str | None] = None
    """The event's place in the order of delivery, to resume from; None for what is not kept."""

    def __init_subclass__(
        cls, *, name: str | None = None, audience: Audience | None = None, others: Others | None = None, **more: Any
    ) -> None:
        super().__init_subclass__(**more)
        if name is not None and audience is not None and others is not None:
            cls.name, cls.audience, cls.others = name, audience, others
        elif (name, audience, others) != (None, None, None) or not cls.__name__.startswith("_"):
            raise TypeError(f"{cls.__name__} must state its name, its audience, and what others get.")

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if cls.__name__.startswith("_"):
            return
        if cls.audience.has_others is (cls.others is Others.NOTHING):
            raise TypeError(f"{cls.__name__}: what others get does not fit the audience.")
        if cls.others is Others.REDACTED:
            _check_marks(cls)
        if EVENT_TYPES.setdefault(cls.name, cls) is not cls:
            raise TypeError(f"{cls.__name__}: there is another event of this name.")


EVENT_TYPES: dict[str, type[Event]] = {}
"""Every type of event by its name."""


@cache
def _marks(kind: type[Part]) -> dict[str, _Mark]:
    found = {}
    for name, field in kind.model_fields.items():
        mark = next((entry for entry in field.metadata if isinstance(entry, _Mark)), None)
        if mark is None:
            raise TypeError(f"{kind.__name__}.{name} must be marked with what others get of it.")
        found[name] = mark
    return found


def _check_marks(kind: type[Part]) -> None:
    for name in _marks(kind):
        annotation = kind.model_fields[name].annotation
        if isinstance(annotation, type) and issubclass(annotation, Part):
            _check_marks(annotation)


def _replaced(value: object, mark: _Mark) -> object:
    if value is None:
        return None
    if not mark.shown:
        return type(value)() if mark.value == () else mark.value
    return value.redacted() if isinstance(value, Part) else value
