"""What waits to be sent to a carrier: bounded, and never in the way of whoever publishes."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Outgoing"]

_MOST = 1000
_LARGEST = 32 * 1024 * 1024
"""Messages, and bytes of them together, that wait at most."""


class Outgoing:
    """Whether to say that the outbox has advanced, and messages, the oldest of which are given up when there are too many."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.sent = asyncio.Event()
        self.sent.set()
        self._advanced = False
        self._messages: deque[bytes] = deque()
        self._size = 0

    def advance(self) -> None:
        self._advanced = True
        self._awaits()

    def add(self, message: bytes) -> int:
        """Hand in a message; answers how many were given up for it."""
        self._messages.append(message)
        self._size += len(message)
        self._awaits()
        given_up = 0
        while len(self._messages) > _MOST or self._size > _LARGEST:
            self._take()
            given_up += 1
        return given_up

    def clear(self) -> int:
        """Give up all messages, but not that the outbox has advanced; answers how many there were."""
        given_up = len(self._messages)
        self._messages.clear()
        self._size = 0
        self._settle()
        return given_up

    @contextmanager
    def advancing(self) -> Iterator[bool]:
        """Whether to say that the outbox has advanced; it is still to be said when the block fails.

        What is handed in during the block may come too late for it, and is to be said again.
        """
        advanced, self._advanced = self._advanced, False
        try:
            yield advanced
        except BaseException:
            self._advanced |= advanced
            raise

    def messages(self) -> Iterator[bytes]:
        """The messages in their order; each is handed out once. What comes meanwhile is among them."""
        while self._messages:
            yield self._take()
        self._settle()

    def _take(self) -> bytes:
        message = self._messages.popleft()
        self._size -= len(message)
        return message

    def _awaits(self) -> None:
        self.waiting.set()
        self.sent.clear()

    def _settle(self) -> None:
        if not self._advanced and not self._messages:
            self.waiting.clear()
            self.sent.set()
