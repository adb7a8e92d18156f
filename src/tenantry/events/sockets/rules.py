"""How many sockets there may be, and how much each may hold."""

from dataclasses import dataclass

from tenantry.settings import Settings

__all__ = ["SocketRules"]


@dataclass(frozen=True, slots=True)
class SocketRules:
    """The limits of one server process."""

    multiuser: bool = True
    allowed_origins: tuple[str, ...] = ()
    """Origins of other web pages that may connect."""

    sockets_per_user: int = 50
    queues_per_socket: int = 20
    max_message_bytes: int = 65_536
    """Bytes of a message from a client at most."""

    max_waiting: int = 1_000
    """Packets that may wait for a slow client; with more it is left out until it has read them, and then gets the rest."""

    max_waiting_previews: int = 20
    """Packets that may wait before progress and previews are left out."""

    max_replay: int = 10_000
    """Stored events that a client may have missed; after more it is told to fetch everything anew."""

    sweep: float = 30.0
    """Seconds between two looks whether everybody who is connected still may be."""

    @classmethod
    def of(cls, settings: Settings) -> "SocketRules":
        """The rules that the settings give."""
        return cls(
            multiuser=settings.multiuser,
            allowed_origins=tuple(settings.origins),
            sockets_per_user=settings.sockets_per_user,
            max_message_bytes=settings.max_message_bytes,
        )
