"""The client of event streams, for programs."""

from tenantry.events.client.messages import Refetch
from tenantry.events.client.stream import EventStream, stream
from tenantry.events.client.timing import StreamTiming

__all__ = ["EventStream", "Refetch", "StreamTiming", "stream"]
