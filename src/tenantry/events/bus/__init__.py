"""The bus: what one process of a studio tells the others.

Nothing is stored. What may not be lost is in the database; a message only says sooner what a look there would find.
"""

from tenantry.events.bus.port import Advanced, Bus, Listener, Message, Timing, Transient
from tenantry.events.bus.process import ProcessBus

__all__ = ["Advanced", "Bus", "Listener", "Message", "ProcessBus", "Timing", "Transient"]
