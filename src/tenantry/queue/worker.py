"""A worker: claims items, runs a handler for each, and says what became of them, as long as it holds its lease."""

import asyncio
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from tenantry.errors import DatabaseUnavailable, InvalidInput, LeaseLost, NotFound
from tenantry.queue.acknowledgements import Released
from tenantry.queue.base import check_queue_id
from tenantry.queue.candidates import ResidentModels
from tenantry.queue.claims import MAX_SLOTS
from tenantry.queue.fairness import Order
from tenantry.queue.ground import QueueGround
from tenantry.queue.items import ClaimedItem, Lease
from tenantry.queue.jobs import Handler, Job, JobProgress
from tenantry.queue.registration import Registration
from tenantry.queue.slots import STOPPING, Claim, Slots
from tenantry.queue.wakeup import Wakeup
from tenantry.repositories.checks import check_name
from tenantry.tenancy import InternalReason, Principal

__all__ = ["Worker"]

_LOST = "the lease was lost"
_NOT_HELD = "the item was canceled, or is not this worker's any more"

_POLL = {"sqlite": 0.25, "postgresql": 1.0}
"""Seconds between two looks for work that nobody told of. On SQLite other processes cannot tell."""

_RETRY = 1.0
"""Seconds between two tries to say what has ended, at most."""

_LAST_MOMENT = 2.0
_LAST_MOMENT_OF_ALL = 1.0
"""Seconds that jobs have to stop once they were told to, before their items are given back; the second after `stop`."""

_log = structlog.get_logger()


class Worker:
    """Runs the items of one queue, or of all, until it is told to stop.

    `handler` is a function of a `Job`, asynchronous or run in a thread. `concurrency` is how many run at once; with `devices`
    each runs at one of them, in turn, and without `concurrency` one at each. `poll` is how often, in seconds, it looks for work
    by itself. After `drain` it claims nothing more; what still runs `grace` seconds later is told to stop and given back.
    `on_progress` is called wherever the handler runs, and must neither block nor raise.
    Raises `InvalidInput` for what cannot be.
    """

    def __init__(
        self,
        studio: QueueGround,
        handler: Handler,
        *,
        concurrency: int | None = None,
        devices: Sequence[str] = (),
        queue_id: str | None = None,
        name: str | None = None,
        order: Order = Order.FAIR,
        poll: float | None = None,
        grace: float = 30.0,
        resident_models: ResidentModels | None = None,
        on_progress: Callable[[JobProgress], None] | None = None,
    ) -> None:
        places = (len(devices) or 1) if concurrency is None else concurrency
        poll = _POLL[studio.dialect] if poll is None else poll
        _check(places, poll, grace)
        self._studio = studio
        self._queue_id = None if queue_id is None else check_queue_id(queue_id)
        self._name = check_name(name or f"{socket.gethostname()}-{os.getpid()}", "name")
        self._order = order
        self._poll = poll
        self._grace = grace
        self._resident_models = resident_models
        self._on_progress = on_progress
        self._principal = Principal.internal(InternalReason.WORK)
        self._changed = asyncio.Event()
        self._exchanging = asyncio.Lock()
        self._has_devices = bool(devices)
        self._draining = False
        self._drained_at = math.inf
        at = [devices[place % len(devices)] if devices else None for place in range(places)]
        self._slots = Slots(handler, at, studio.queue_rules.max_document_bytes, self._changed.set)
        self._registration = Registration(
            studio, self._principal, self._name, devices=devices, concurrency=places, queue_id=queue_id
        )

    @property
    def draining(self) -> bool:
        """Whether it claims nothing more."""
        return self._draining

    @property
    def unsaid(self) -> int:
        """How many items have ended whose end the database does not know yet."""
        return len(self._slots.known - self._slots.running)

    async def run(self) -> None:
        """Work until `drain` or `stop` was called, here or by an administrator, and everything has ended; once only.

        Raises `DatabaseUnavailable` if it cannot begin, and whatever ended one of its duties.
        """
        await self._registration.begin()
        async with Wakeup(self._studio) as wakeup:
            work = asyncio.create_task(self._work(wakeup), name="tenantry-work")
            duties = [
                asyncio.create_task(self._keep_alive(), name="tenantry-beat"),
                asyncio.create_task(self._guard_lease(), name="tenantry-lease"),
                asyncio.create_task(self._watch(wakeup), name="tenantry-cancellations"),
            ]
            try:
                done, _ = await asyncio.wait([work, *duties], return_when=asyncio.FIRST_COMPLETED)
                if work not in done:
                    # A duty ends only by an error; without it the worker must not go on.
                    self.drain()
                    await work
                for task in done:
                    task.result()
            finally:
                await self._end([work, *duties])

    def drain(self) -> None:
        """Claim nothing more, and end once everything has that runs."""
        if not self._draining:
            self._draining = True
            self._drained_at = time.monotonic()
            self._changed.set()

    def stop(self) -> None:
        """Like `drain`, without any time of grace."""
        self._grace = 0.0
        self.drain()
        self._changed.set()

    async def _work(self, wakeup: Wakeup) -> None:
        certain = True
        while True:
            self._changed.clear()
            if self._slots.running and time.monotonic() >= self._drained_at + self._grace:
                await self._stop_running()
            wants = bool(self._slots.free) and self._registration.is_fresh and not self._draining
            await self._exchange(claims=wants and (certain or await self._is_work_waiting()))
            if self._draining and not self._slots.running and not self._has_to_say():
                return
            certain = await self._wait(wakeup)

    async def _wait(self, wakeup: Wakeup) -> bool:
        """Wait for a job's end, for work, or for the next look; whether a claim is likely to find something."""
        seconds = self._poll
        if self._slots.has_ended:
            seconds = min(seconds, _RETRY)
        if self._draining:
            seconds = min(seconds, max(self._drained_at + self._grace - time.monotonic(), 0.0) or _RETRY)
        waiting = [asyncio.create_task(event.wait()) for event in (self._changed, wakeup.work)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        certain = self._changed.is_set() or wakeup.work.is_set()
        wakeup.work.clear()
        return certain

    async def _exchange(self, *, claims: bool) -> None:
        """Say what has ended, then claim for the free places; apart, because a claim keeps others waiting."""
        async with self._exchanging:
            worker_id = self._registration.worker_id
            try:
                await self._say()
                if claims and self._slots.free:
                    await self._claim(worker_id)
            except (LeaseLost, NotFound):
                await self._begin_anew(worker_id)
            except DatabaseUnavailable as error:
                _log.warning("the database does not answer", worker=self._name, error=str(error))

    async def _say(self) -> None:
        said = self._slots.take_ended()
        if not said:
            return
        try:
            async with self._studio.begin(self._principal) as work:
                lost = await work.dispatch.acknowledge(said)
        except DatabaseUnavailable:
            self._slots.put_back(said)
            raise
        results = {each.lease for each in said if not isinstance(each, Released)}
        if items := [lease.item_id for lease in lost if lease in results]:
            _log.warning("results were discarded; the items are not this worker's any more", worker=self._name, items=items)

    async def _claim(self, worker_id: str) -> None:
        async with self._studio.begin(self._principal) as work:
            items = await work.dispatch.claim(
                worker_id,
                devices=self._slots.free,
                queue_id=self._queue_id,
                order=self._order,
                resident_models=self._resident_models,
            )
        for item in items:
            # An item keeps the device of an earlier claim where this one names none.
            device = item.device if self._has_devices else None
            job = Job(item, device, asyncio.get_running_loop(), save=self._save, on_progress=self._on_progress)
            self._slots.start(job)

    async def _is_work_waiting(self) -> bool:
        try:
            async with self._studio.read(self._principal) as work:
                return await work.dispatch.is_work_waiting(self._queue_id)
        except DatabaseUnavailable as error:
            _log.warning("the database does not answer", worker=self._name, error=str(error))
            return False

    async def _save(self, item: ClaimedItem, session: str) -> None:
        async with self._studio.begin(self._principal) as work:
            await work.dispatch.save(item.lease, session)

    async def _keep_alive(self) -> None:
        """Give signs of life, and learn what is still held; recover what others have lost."""
        while True:
            await asyncio.sleep(self._registration.beat_in)
            worker_id, was_fresh = self._registration.worker_id, self._registration.is_fresh
            try:
                await self._beat(worker_id)
            except LeaseLost:
                await self._begin_anew(worker_id)
            except DatabaseUnavailable as error:
                _log.warning(
                    "no sign of life could be given; nothing is claimed meanwhile", worker=self._name, error=str(error)
                )
            if not was_fresh:
                self._changed.set()

    async def _beat(self, worker_id: str) -> None:
        before = self._slots.running
        beat = await self._registration.beat()
        self._slots.stop(before - beat.held, _NOT_HELD)
        await self._give_back_strays(worker_id, beat.held)
        if beat.draining:
            self.drain()
        async with self._studio.begin(self._principal) as work:
            await work.workers.recover_expired()

    async def _give_back_strays(self, worker_id: str, held: frozenset[Claim]) -> None:
        """Give back what was claimed by a transaction that was stored although its answer never came."""
        if held <= self._slots.known:
            return
        # What is being claimed, or said, at this moment is known once that has come to its end.
        async with self._exchanging:
            strays = held - self._slots.known
            self._slots.put_back(Released(lease=Lease(item_id, worker_id, attempt)) for item_id, attempt in sorted(strays))
        self._changed.set()

    async def _guard_lease(self) -> None:
        """Stop what runs once the lease has surely expired, also while the database keeps everybody waiting."""
        while True:
            await asyncio.sleep(max(self._registration.expires_in, 0.0) or _RETRY)
            if self._registration.expires_in <= 0:
                self._slots.stop(self._slots.running, _LOST)

    async def _watch(self, wakeup: Wakeup) -> None:
        """Stop at once what was canceled anywhere."""
        while True:
            await wakeup.ended.wait()
            wakeup.ended.clear()
            before = self._slots.running
            if before:
                # What is missed here the next sign of life tells.
                with suppress(DatabaseUnavailable):
                    async with self._studio.read(self._principal) as work:
                        held = await work.workers.held(self._registration.worker_id)
                    self._slots.stop(before - held, _NOT_HELD)

    async def _begin_anew(self, lost_id: str) -> None:
        self._slots.stop(self._slots.running, _LOST)
        _log.warning("the lease was lost; what ran is stopped, and the worker begins anew", worker=self._name)
        await self._registration.begin_anew(lost_id)

    def _has_to_say(self) -> bool:
        """Whether something has ended that may still be heard."""
        return self._slots.has_ended and self._registration.expires_in > 0

    async def _stop_running(self) -> None:
        """Tell what runs to stop, and give back what does not."""
        self._slots.stop(self._slots.running, STOPPING)
        await self._slots.settle(_LAST_MOMENT if self._grace else _LAST_MOMENT_OF_ALL)
        self._slots.abandon()

    async def _end(self, tasks: list["asyncio.Task[None]"]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._slots.running:
            await self._stop_running()
        self._slots.close()
        await self._registration.end(self._slots.take_ended())


def _check(places: int, poll: float, grace: float) -> None:
    if not 1 <= places <= MAX_SLOTS:
        raise InvalidInput(f"A worker runs 1 to {MAX_SLOTS} items at once.", field="concurrency")
    if poll <= 0:
        raise InvalidInput("A worker cannot look for work without a pause.", field="poll")
    if grace < 0:
        raise InvalidInput("A time of grace cannot be less than nothing.", field="grace")
