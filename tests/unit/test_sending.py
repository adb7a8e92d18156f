"""Sending: one packet for all that get the same, and nothing to whoever is gone."""

from typing import Any

from tenantry.events.audience import Delivery, Form
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.rules import SocketRules
from tenantry.events.sockets.sending import Sending
from tenantry.events.types.queue import QueuePaused
from tenantry.tenancy import Principal

EVENT = QueuePaused(timestamp=1, queue_id="dé\u2028fault", paused=True)


class Transports:
    """What Engine.IO would be given."""

    def __init__(self, *broken: str) -> None:
        self.got: list[tuple[str, Any]] = []
        self._broken = broken

    async def send_packet(self, transport: str, packet: Any) -> None:
        if transport in self._broken:
            raise ConnectionError
        self.got.append((transport, packet))


def sending(transports: Transports, *names: str) -> tuple[Sending, Connections]:
    """Sockets of as many users, each in the room of all."""
    connections = Connections()
    for name in names:
        connections.add(Connection(name, f"transport of {name}", Principal(name, is_admin=True), None, lambda: 0))
    return Sending(transports, connections, SocketRules(), fell_behind=lambda _: None), connections


async def test_all_that_get_the_same_get_one_packet() -> None:
    """Written once, as Socket.IO writes it."""
    transports = Transports()
    served, _ = sending(transports, "ana", "bo")
    await served.deliver(Delivery((Form(frozenset({"admin"}), EVENT),), 1))
    assert [name for name, _ in transports.got] == ["transport of ana", "transport of bo"]
    assert len({id(packet) for _, packet in transports.got}) == 1
    written = '42["queue_paused",{"timestamp":1,"event_id":null,"queue_id":"dé\u2028fault","paused":true}]'
    assert transports.got[0][1].encode() == written
    assert served.sent == 2


async def test_whoever_is_in_several_rooms_gets_the_first_form_once() -> None:
    """However many of their rooms an event goes to."""
    transports = Transports()
    served, _ = sending(transports, "ana", "bo")
    other = EVENT.model_copy(update={"paused": False})
    await served.deliver(Delivery((Form(frozenset({"user:ana", "nobody"}), EVENT), Form(frozenset({"admin"}), other)), 1))
    assert [(name, "true" in packet.encode()) for name, packet in transports.got] == [
        ("transport of ana", True),
        ("transport of bo", False),
    ]


async def test_a_socket_that_was_sent_away_gets_nothing_more() -> None:
    """Its transport lives on for a moment, and may still be in the hands of whoever catches up."""
    transports = Transports()
    served, connections = sending(transports, "ana")
    connection = connections.get("ana")
    assert connection is not None
    connections.remove("ana")
    await served.send(EVENT, [connection])
    assert transports.got == []


async def test_a_socket_that_breaks_keeps_nobody_from_theirs() -> None:
    """Whoever comes after it."""
    transports = Transports("transport of ana")
    served, _ = sending(transports, "ana", "bo")
    await served.deliver(Delivery((Form(frozenset({"admin"}), EVENT),), 1))
    assert [name for name, _ in transports.got] == ["transport of bo"]


async def test_a_socket_is_in_the_rooms_of_today_alone() -> None:
    """Rooms that lose their last member are forgotten."""
    _, connections = sending(Transports(), "ana")
    connection = connections.get("ana")
    assert connection is not None
    connection.principal = Principal("ana")
    connection.queue_ids.add("default")
    connections.place(connection)
    assert connections.in_rooms({"admin"}) == {}
    assert connections.in_rooms({"queue:default", "user:ana"}) == {"ana": connection}
    connections.remove("ana")
    assert connections.in_rooms({"queue:default", "user:ana"}) == {}
