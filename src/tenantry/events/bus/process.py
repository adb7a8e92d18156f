"""The bus of a studio that has one process, and what the other buses deliver through in theirs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from tenantry.events.bus.port import Listener, Message

__all__ = ["ProcessBus"]

_log = structlog.get_logger()

_open: list["ProcessBus"] = []
"""The buses of this process, whichever loops they belong to."""


class ProcessBus:
    """Carries everything between the buses of this process that have the same `place`: a name for the studio."""

    carries_transient = False
    dropped = 0

    def __init__(self, place: str) -> None:
        self._place = place
        self._listeners: dict[object, Listener] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        _open.append(self)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _open.remove(self)
        self._loop = None

    @property
    def connected(self) -> bool:
        return self._loop is not None

    def publish(self, message: Message) -> None:
        for bus in tuple(_open):
            if bus._place == self._place:
                bus.tell(message)

    def tell(self, message: Message) -> None:
        """Tell this bus's own listeners, soon and on their loop; may be called in any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):
                # The loop may be closed by now.
                self._loop.call_soon_threadsafe(self._tell, message)

    def listen(self, listener: Listener) -> Callable[[], None]:
        key = object()
        self._listeners[key] = listener

        def stop() -> None:
            self._listeners.pop(key, None)

        return stop

    def _tell(self, message: Message) -> None:
        for key, listener in tuple(self._listeners.items()):
            # The bus may have been closed, and a listener have stopped, since this was to be told.
            if self._loop is None or key not in self._listeners:
                continue
            try:
                listener(message)
            except Exception:
                _log.exception("a listener of the bus failed")
