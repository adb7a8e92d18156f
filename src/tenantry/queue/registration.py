"""A worker's place among the workers: its lease, which it keeps by signs of life, and what it does when it has lost it."""

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog

from tenantry.errors import DatabaseUnavailable, TenantryError
from tenantry.queue.acknowledgements import Acknowledgement
from tenantry.queue.ground import QueueGround
from tenantry.queue.leases import Beat
from tenantry.tenancy import Principal

__all__ = ["Registration"]

_BEATS_A_LEASE = 3
_RETRY = 1.0
"""Seconds between two tries to reach a database that does not answer, at most."""

_log = structlog.get_logger()


class Registration:
    """Registers a worker and keeps its lease; how long that lasts is told by this process's own steady clock."""

    def __init__(
        self,
        studio: QueueGround,
        principal: Principal,
        name: str,
        *,
        devices: Sequence[str],
        concurrency: int,
        queue_id: str | None,
    ) -> None:
        self.worker_id = ""
        self._studio = studio
        self._principal = principal
        self._name = name
        self._devices = devices
        self._concurrency = concurrency
        self._queue_id = queue_id
        self._lease = studio.queue_rules.lease
        self._heard_at = float("-inf")
        self._renewing = asyncio.Lock()

    @property
    def beat_in(self) -> float:
        """Seconds until the next sign of life is due."""
        every = self._lease / _BEATS_A_LEASE
        return max(self._heard_at + every - time.monotonic(), min(every, _RETRY))

    @property
    def is_fresh(self) -> bool:
        """Whether the last sign of life was heard that should have been."""
        return time.monotonic() < self._heard_at + 2 * self._lease / _BEATS_A_LEASE

    @property
    def expires_in(self) -> float:
        """Seconds until the lease has expired, if no sign of life is heard before; negative after it."""
        return self._heard_at + self._lease - time.monotonic()

    async def begin(self) -> None:
        """Register, under a new id. Raises `DatabaseUnavailable` and its kinds."""
        begun = time.monotonic()
        async with self._studio.begin(self._principal) as work:
            worker_id = await work.workers.register(
                self._name,
                host=socket.gethostname(),
                process=os.getpid(),
                devices=self._devices,
                concurrency=self._concurrency,
                queue_id=self._queue_id,
            )
        self.worker_id, self._heard_at = worker_id, begun

    async def begin_anew(self, lost_id: str) -> None:
        """Register under a new id in place of the lost one, as soon as the database answers; several may ask for it."""
        async with self._renewing:
            while self.worker_id == lost_id:
                try:
                    await self.begin()
                except DatabaseUnavailable as error:
                    _log.warning("the worker cannot be registered again yet", worker=self._name, error=str(error))
                    await asyncio.sleep(_RETRY)

    async def beat(self) -> Beat:
        """Give a sign of life. Raises `LeaseLost` when it comes too late, `DatabaseUnavailable` when it is not heard."""
        begun = time.monotonic()
        async with self._studio.begin(self._principal) as work:
            beat = await work.workers.beat(self.worker_id)
        self._heard_at = begun
        return beat

    async def end(self, last_words: Sequence[Acknowledgement]) -> None:
        """Say what is still to be said and be forgotten, if the database answers; what is held goes to others at once."""
        with suppress(TenantryError):
            async with self._studio.begin(self._principal) as work:
                await work.dispatch.acknowledge(last_words)
            async with self._studio.begin(self._principal) as work:
                await work.workers.unregister(self.worker_id)
