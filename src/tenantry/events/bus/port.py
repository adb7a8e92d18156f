"""What a bus is, whatever carries it, and the two messages that it carries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["Advanced", "Bus", "Listener", "Message", "Timing", "Transient"]


@dataclass(frozen=True, slots=True)
class Advanced:
    """A hint: events are stored that may not have been delivered yet. It says no more, because the outbox is the truth."""


@dataclass(frozen=True, slots=True)
class Transient:
    """Something for one user that is not stored and may be lost: progress, a preview."""

    name: str
    user_id: str
    """The only user who may get it."""
    payload: Mapping[str, Any]
    """Values that JSON has; nobody may change them once the message is published."""


Message = Advanced | Transient

Listener = Callable[[Message], None]
"""Is told each message, on the loop that opened the bus. It must not block; when it raises, that is logged."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds by which a bus goes whose carrier is another server."""

    first_wait: float = 0.1
    longest_wait: float = 10.0
    """Before the first and, doubled each time, at most before another try to connect."""
    alive: float = 10.0
    """Of silence until a connection is asked for a sign of life, and until it counts as lost when there is none."""
    coalescing: float = 0.02
    """Between two `Advanced` that are sent; what is published meanwhile is one."""
    closing: float = 1.0
    """At most, for sending what waits when the bus is closed; none while the carrier is down."""


class Bus(Protocol):
    """Carries messages between the processes of one studio, and between those who listen in one of them.

    Use it in an `async with` block, and from the loop of that block alone. A message reaches every listener of the publishing
    bus and of the studio's other buses, each once, and each `Transient` after those that its publisher sent before it.
    `Advanced` overtakes them; it may come more often than it was published, as after an outage, and less often, but it does
    come after the last one published.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def publish(self, message: Message) -> None:
        """Send a message soon; neither waits nor raises, whether the carrier is up or down.

        `Advanced` is kept until it can be sent. A `Transient` is given up when the carrier is down, too slow, or cannot
        carry it; this process's own listeners get it then too.
        """

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each message from now on; answers how to stop."""

    @property
    def carries_transient(self) -> bool:
        """Whether a `Transient` reaches other processes."""

    @property
    def connected(self) -> bool:
        """Whether messages of other buses arrive at the moment."""

    @property
    def dropped(self) -> int:
        """How many `Transient` were published and given up since the bus was made."""
