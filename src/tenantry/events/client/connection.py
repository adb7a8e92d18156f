"""One connection to a server's event streams. It is over once it is lost; for another, make another."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import SplitResult

import socketio

from tenantry.errors import AuthenticationFailed, ServerUnavailable, TenantryError
from tenantry.events.address import PATH, no_answer

__all__ = ["Connection"]

_GOODBYE = 1
"""Seconds that a server has to say goodbye as well."""


class Connection:
    """Calls `receive` with the name and payload of each message, in order, and `ended` once when no more can come."""

    def __init__(self, receive: Callable[[str, object], None], ended: Callable[[], None]) -> None:
        self.over = False
        """Whether nothing is received any more."""
        self._receive = receive
        self._ended = ended
        self._is_greeted = False
        self._begun = asyncio.Event()
        self._refusal: Mapping[str, object] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._client = socketio.AsyncClient(reconnection=False, handle_sigint=False, request_timeout=_GOODBYE)
        # Functions that do not wait, because only those are called in the order of the messages.
        self._client.on("*", self._message)
        self._client.on("connect_error", self._refused)

    async def open(self, address: SplitResult, auth: Mapping[str, object], patience: float) -> None:
        """Connect, and wait for the greeting, for so many seconds at most.

        Raises `AuthenticationFailed` for a token that the server does not accept, and `ServerUnavailable`.
        """
        try:
            async with asyncio.timeout(patience):
                await self._client.connect(
                    address.geturl(),
                    auth=dict(auth),
                    socketio_path=address.path.rstrip("/") + PATH,
                    transports=["websocket"],
                    wait_timeout=patience,
                )
                self._watching = asyncio.create_task(self._watch(), name="tenantry-stream")
                await self._begun.wait()
            if not self._is_greeted:
                raise ConnectionError
        except Exception as error:
            await self.close()
            raise self._failure(address) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up; nothing is received from now on."""
        self.over = True
        with suppress(Exception):
            # Whatever breaks here, the connection is not used any more.
            await self._client.eio.disconnect()
        if self._watching is not None:
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        """The library's own word of the end does not come when the end comes early."""
        try:
            await self._client.eio.wait()
        finally:
            self.over = True
            self._begun.set()
            self._ended()

    def _message(self, name: str, payload: object = None, *_: object) -> None:
        if not self.over:
            self._receive(name, payload)
        if name == "connected":
            self._is_greeted = True
            self._begun.set()

    def _refused(self, said: object = None, *_: object) -> None:
        if isinstance(said, Mapping):
            self._refusal = said

    def _failure(self, address: SplitResult) -> TenantryError:
        if self._refusal is None:
            return no_answer(address)
        message, more = self._refusal.get("message"), self._refusal.get("data")
        more = more if isinstance(more, Mapping) else {}
        kind = AuthenticationFailed if more.get("code") == AuthenticationFailed.code else ServerUnavailable
        return kind(_text(message), remedy=_text(more.get("remedy")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
