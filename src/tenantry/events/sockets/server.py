"""The Socket.IO server over a studio: an ASGI application, and the tasks behind it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import socketio

from tenantry.errors import LimitReached, TenantryError
from tenantry.events.address import PATH
from tenantry.events.audience import Delivery
from tenantry.events.bus import Bus, Message, Transient
from tenantry.events.ending import end
from tenantry.events.ground import EventsGround
from tenantry.events.places import Places
from tenantry.events.relay import Relay
from tenantry.events.sockets.authorizing import Authorizing
from tenantry.events.sockets.catching_up import CatchingUp
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.packets import TextPacket
from tenantry.events.sockets.rules import SocketRules
from tenantry.events.sockets.sending import Sending
from tenantry.events.transient import delivery_of
from tenantry.events.types import accounts

__all__ = ["SocketServer"]

_SECRET = "event ids"  # noqa: S105
_LONGEST = 8_192
"""Characters of a token or a name that a client sends."""

_FAREWELL = 10.0
"""Seconds that a client has to read what waits for it when it is sent away."""

_PASSING_AT_ONCE = 1_000
"""Passing events that may wait to be sent; later ones are dropped."""


class SocketServer:
    """Events for browsers and programs. Use it in an `async with` block; `app` is the ASGI application.

    A client sends its token as `auth.token` or as a bearer header. With `auth.last_event_id` it gets what it missed first;
    with `auth.queue_ids` it is subscribed to queues from the start.
    """

    def __init__(self, studio: EventsGround, bus: Bus, rules: SocketRules) -> None:
        self.bus = bus
        self.connections = Connections()
        self._studio = studio
        self._rules = rules
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins=self._may_connect_from,
            max_http_buffer_size=rules.max_message_bytes,
            serializer=TextPacket,
        )
        self.app = socketio.ASGIApp(self._server, socketio_path=PATH)
        self.sending = Sending(self._server.eio, self.connections, rules, fell_behind=self._fell_behind)
        self._authorizing = Authorizing(studio.accounts, self.connections, rules, self._send_away)
        self._tasks: set[asyncio.Task[None]] = set()
        for name, handler in {
            "connect": self._connect,
            "disconnect": self._disconnected,
            "subscribe_queue": self._subscribe,
            "unsubscribe_queue": self._unsubscribe,
            "resume": self._resume,
            # The owner of a download hears of it in any case.
            "subscribe_bulk_download": self._ignore,
            "unsubscribe_bulk_download": self._ignore,
        }.items():
            self._server.on(name, handler=handler)

    async def __aenter__(self) -> "SocketServer":
        self._places = Places(await self._studio.accounts.derived_secret(_SECRET))
        self.relay = Relay(self._studio, self.bus, self._places, self._receive)
        self._catching_up = CatchingUp(self.relay, self.connections, self.sending, self._places, self._rules)
        self._passing: asyncio.Queue[Transient] = asyncio.Queue(_PASSING_AT_ONCE)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.relay)
            stack.callback(self.bus.listen(self._heard))
            self._start(self._authorizing.sweep())
            self._start(self._deliver_passing())
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        await self.send_all_away()
        await self._catching_up.aclose()
        await end(tuple(self._tasks))
        await self._closing.aclose()

    async def send_all_away(self) -> None:
        """Close every socket; who polls would else keep a server from stopping for as long as a poll lasts."""
        for connection in self.connections:
            await self._send_away(connection.sid)

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: object = None, *_: object) -> None:
        if not self._server.manager.is_pre_connected(sid, "/"):
            # A message of this name from somebody who is connected, and is who they are.
            return
        given = auth if isinstance(auth, Mapping) else {}
        reviews = self._authorizing.reviews
        token = _text(given.get("token")) or _bearer(environ)
        try:
            principal = await self._authorizing.admit(token)
            self._check_number(principal.user_id)
        except TenantryError as error:
            # By the code a client knows whether it makes sense to try again.
            more = {"code": error.code, "remedy": error.remedy}
            raise socketio.exceptions.ConnectionRefusedError(error.message, more) from None
        if self._is_closed(sid):
            # Nobody would tell that it is gone.
            raise socketio.exceptions.ConnectionRefusedError
        transport = self._server.manager.eio_sid_from_sid(sid, "/")
        shown = token if self._rules.multiuser else None
        connection = Connection(sid, transport, principal, shown, self._waiting_for(sid))
        connection.queue_ids = self._queues(given.get("queue_ids"))
        connection.is_catching_up = True
        self.connections.add(connection)
        # Once the client has been told that it is connected; nothing waits between here and there.
        self._start(self._welcome(connection, _text(given.get("last_event_id")), reviews))

    async def _welcome(self, connection: Connection, last_event_id: str | None, reviews: int) -> None:
        if self._authorizing.reviews != reviews:
            await self._authorizing.review([connection])
        if connection not in self.connections:
            return
        connection.had = self.relay.position
        hello = {
            # Who goes on from an event has had that one, whatever has happened since.
            "event_id": last_event_id or self._places.write(*connection.had),
            "user_id": connection.principal.user_id,
            "is_admin": connection.principal.is_admin,
        }
        if last_event_id is None:
            connection.is_catching_up = False
            self.connections.place(connection)
        await self.sending.say("connected", hello, [connection])
        if last_event_id is not None:
            await self._catching_up.from_event(connection, last_event_id)

    async def _disconnected(self, sid: str, *_: object) -> None:
        # A client may send a message of this name too.
        if not self._server.manager.is_connected(sid, "/"):
            self.connections.remove(sid)

    async def _subscribe(self, sid: str, data: object = None, *_: object) -> dict[str, object]:
        connection, queue_id = self.connections.get(sid), _field(data, "queue_id")
        if connection is None or queue_id is None:
            return {"error": "Name the queue as `queue_id`."}
        if len(connection.queue_ids | {queue_id}) > self._rules.queues_per_socket:
            return {"error": "This connection is subscribed to too many queues."}
        connection.queue_ids.add(queue_id)
        self.connections.place(connection)
        return {"queue_id": queue_id, "event_id": self._places.write(*self.relay.position)}

    async def _unsubscribe(self, sid: str, data: object = None, *_: object) -> dict[str, object]:
        connection, queue_id = self.connections.get(sid), _field(data, "queue_id")
        if connection is None or queue_id is None:
            return {"error": "Name the queue as `queue_id`."}
        connection.queue_ids.discard(queue_id)
        self.connections.place(connection)
        return {"queue_id": queue_id}

    async def _resume(self, sid: str, data: object = None, *_: object) -> dict[str, object]:
        connection, event_id = self.connections.get(sid), _field(data, "last_event_id")
        if connection is None or event_id is None:
            return {"error": "Name the last event as `last_event_id`."}
        if connection.is_catching_up:
            return {"error": "This connection is being sent what it missed already."}
        return {"resumed": await self._catching_up.from_event(connection, event_id)}

    async def _ignore(self, *_: object) -> None:
        """Takes a message of InvokeAI's that changes nothing here."""

    async def _receive(self, delivery: Delivery) -> None:
        """What the relay hands on; an account that changed is looked at before anything else is sent."""
        event = delivery.forms[0].event
        if isinstance(event, accounts.AccountChanged | accounts.AccountDeleted):
            await self._authorizing.review_user(event.user_id)
        await self.sending.deliver(delivery)

    def _heard(self, message: Message) -> None:
        if isinstance(message, Transient):
            try:
                self._passing.put_nowait(message)
            except asyncio.QueueFull:
                self.sending.dropped += 1

    async def _deliver_passing(self) -> None:
        while True:
            delivery = delivery_of(await self._passing.get())
            if delivery is not None:
                await self.sending.deliver(delivery)

    def _fell_behind(self, connection: Connection) -> None:
        self._catching_up.fell_behind(connection)

    async def _send_away(self, sid: str) -> None:
        transport = self._server.manager.eio_sid_from_sid(sid, "/")
        self.connections.remove(sid)
        if transport is None:
            # It has gone by itself. Asked to close what has no name, the library closes all there are.
            return
        await self._server.disconnect(sid)
        self._start(self._close(transport))

    async def _close(self, transport: str) -> None:
        """Saying goodbye leaves the transport open for as long as the client likes; closing it waits for a slow one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await self._server.eio.disconnect(transport)

    def _check_number(self, user_id: str) -> None:
        allowed = self._rules.sockets_per_user
        if len(self.connections.of_user(user_id)) >= allowed:
            raise LimitReached("sockets_per_user", allowed, "Too many connections of this user are open.", remedy="Close one.")

    def _queues(self, given: object) -> set[str]:
        names = given if isinstance(given, list) else []
        return {name for name in names[: self._rules.queues_per_socket] if _text(name)}

    def _is_closed(self, sid: str) -> bool:
        transport = self._transport(sid)
        return transport is None or transport.closing or transport.closed

    def _waiting_for(self, sid: str) -> Callable[[], int]:
        """How many packets wait in a client's queue, of which the library makes no public count."""
        transport = self._transport(sid)
        return lambda: int(transport.queue.qsize())

    def _transport(self, sid: str) -> Any:
        return self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))

    def _may_connect_from(self, origin: str | None, environ: Mapping[str, Any]) -> bool:
        """Pages of the server's own, by the name that the browser asked for, and of the origins that the settings name."""
        if origin is None or origin in self._rules.allowed_origins:
            return True
        try:
            host = urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(host) and host == environ.get("HTTP_HOST")

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine, name="tenantry-sockets")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bearer(environ: Mapping[str, Any]) -> str | None:
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST else None


def _field(data: object, name: str) -> str | None:
    return _text(data.get(name)) if isinstance(data, Mapping) else None
