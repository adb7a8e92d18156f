"""What a process without clients of its own, such as a worker, tells the servers over the bus."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from tenantry.events.bus import Advanced, Bus, Message
from tenantry.events.ground import EventsGround
from tenantry.events.transient import transient_of
from tenantry.events.types.running import QueueItemProgress
from tenantry.queue.jobs import JobProgress
from tenantry.repositories.changes import Change

__all__ = ["Announcer"]


class Announcer:
    """Says that there is something in the outbox, and how far jobs are. Use it in an `async with` block."""

    def __init__(self, studio: EventsGround, bus: Bus) -> None:
        self._studio = studio
        self._bus = bus

    async def __aenter__(self) -> "Announcer":
        self._loop = asyncio.get_running_loop()
        self._stop = self._studio.listen(self._changed)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop()

    def progress(self, progress: JobProgress) -> None:
        """Tell a job's owner how far it is; for `Worker(on_progress=...)`, from any thread."""
        event = QueueItemProgress(
            timestamp=int(time.time()),
            queue_id=progress.queue_id,
            item_id=progress.item_id,
            user_id=progress.user_id,
            fraction=progress.fraction,
            message=progress.message,
        )
        self._publish(transient_of(event, progress.user_id))

    def _changed(self, _: Sequence[Change]) -> None:
        """A unit of work of this process has changed something; called in its thread."""
        self._publish(Advanced())

    def _publish(self, message: Message) -> None:
        with suppress(RuntimeError):
            # The loop may be closed by now.
            self._loop.call_soon_threadsafe(self._bus.publish, message)
