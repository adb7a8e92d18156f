"""What happened in a unit of work, for whoever wants to know once it is committed."""

from dataclasses import dataclass

__all__ = ["Change"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something of `user_id`'s was changed. Each kind of change is a subclass that says what, before and after."""

    user_id: str
