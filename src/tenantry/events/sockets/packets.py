"""Messages of the Socket.IO protocol, as far as clients may send them."""

from typing import Any

from socketio.packet import BINARY_ACK, BINARY_EVENT, Packet

__all__ = ["TextPacket"]


def _decode(packet: Any, encoded: str) -> int:
    attachments: int = Packet.decode(packet, encoded)
    if packet.packet_type in (BINARY_EVENT, BINARY_ACK):
        raise ValueError("Attachments are not taken.")
    return attachments


TextPacket: type = type("TextPacket", (Packet,), {"decode": _decode})
"""A message without attachments, which the library takes in any number and keeps until the last one has come."""
