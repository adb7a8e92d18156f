"""Which bus a studio has."""

from tenantry.events.bus.port import Bus, Timing
from tenantry.events.bus.postgresql import PostgreSQLBus
from tenantry.events.bus.process import ProcessBus
from tenantry.events.bus.valkey import ValkeyBus

__all__ = ["open_bus"]


def open_bus(url: str | None, listening_url: str | None, namespace: str, *, timing: Timing | None = None) -> Bus:
    """The bus at `url`, or else over the PostgreSQL server at `listening_url`, or else within this process.

    `namespace` tells studios apart that share a server. Connects when it is entered, not before.
    Raises `InvalidInput` for an address that is none of a Valkey or Redis server, and when the client for it is missing.
    """
    if url is not None:
        return ValkeyBus(url, namespace, timing)
    if listening_url is not None:
        return PostgreSQLBus(listening_url, namespace, timing)
    return ProcessBus(namespace)
