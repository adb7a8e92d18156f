"""The bus: what one process of a studio tells the others, in this process, over PostgreSQL or over Valkey.

Nothing is stored. What may not be lost is in the database; a message only says sooner what a look there would find.
"""

from tenantry.events.bus.opening import open_bus
from tenantry.events.bus.port import Advanced, Bus, Listener, Message, Timing, Transient
from tenantry.events.bus.postgresql import PostgreSQLBus
from tenantry.events.bus.process import ProcessBus
from tenantry.events.bus.valkey import ValkeyBus

__all__ = [
    "Advanced",
    "Bus",
    "Listener",
    "Message",
    "PostgreSQLBus",
    "ProcessBus",
    "Timing",
    "Transient",
    "ValkeyBus",
    "open_bus",
]
