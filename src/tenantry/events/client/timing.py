"""When a stream tries to connect again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["StreamTiming", "waits"]


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Seconds by which a stream goes."""

    connecting: float = 10.0
    """Until a try to connect counts as failed."""
    first_wait: float = 0.5
    longest_wait: float = 30.0
    """Before the first and, doubled each time, at most before another try."""
    steady: float = 10.0
    """That a connection must have lasted for the waits to begin from the first again."""


def waits(timing: StreamTiming, random: Callable[[], float]) -> Iterator[float]:
    """Seconds before each try, spread by `random` (from 0 to 1) so that not all clients of a server come back at once."""
    wait = timing.first_wait
    while True:
        yield wait * (0.5 + random() / 2)
        wait = min(wait * 2, timing.longest_wait)
