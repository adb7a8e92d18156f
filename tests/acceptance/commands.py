"""Running the command `tenantry` in a test."""

from collections.abc import Callable
from dataclasses import dataclass

from tenantry.database import DatabaseURL

__all__ = ["Command", "Said", "address", "assert_refused"]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]
"""Takes the words of a command line."""


def address(url: DatabaseURL) -> str:
    """The URL as it is typed, with its password."""
    return url.url.render_as_string(hide_password=False)


def assert_refused(said: Said, *words: str) -> None:
    """One line that names what is wrong, and exit status 2."""
    assert said.status == 2, said
    assert said.err.startswith("tenantry: "), said
    assert said.err.count("\n") == 1, said
    for word in words:
        assert word in said.err
