"""The Socket.IO server: who is connected, what they get, and when they are sent away."""

from tenantry.events.sockets.rules import SocketRules
from tenantry.events.sockets.server import SocketServer

__all__ = ["SocketRules", "SocketServer"]
