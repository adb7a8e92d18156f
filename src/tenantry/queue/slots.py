"""The places of a worker: in each runs one job, and its end becomes an acknowledgement."""

import asyncio
import inspect
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from tenantry.queue.acknowledgements import Acknowledgement, Completed, Failed, Released
from tenantry.queue.items import Lease
from tenantry.queue.jobs import Handler, Job, RetryLater, as_session
from tenantry.queue.threads import Threads

__all__ = ["STOPPING", "Claim", "Slots", "claim_of"]

STOPPING = "the worker stops"
"""The reason for which a job is stopped that is given back to the queue."""

Claim = tuple[int, int]
"""An item and the attempt at it."""


def claim_of(lease: Lease) -> Claim:
    return lease.item_id, lease.attempt


@dataclass(eq=False, slots=True)
class _Running:
    job: Job
    task: "asyncio.Task[Acknowledgement]"


class Slots:
    """Runs jobs, each at its device, and collects what is to be said of those that have ended.

    `most_bytes` is how large a session may be that a handler returns; `on_end` is called when a place has become free.
    """

    def __init__(self, handler: Handler, devices: Sequence[str | None], most_bytes: int, on_end: Callable[[], None]) -> None:
        self._handler = handler
        self._is_async = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
        self._free = list(devices)
        self._running: dict[Claim, _Running] = {}
        self._ended: list[Acknowledgement] = []
        self._most_bytes = most_bytes
        self._on_end = on_end
        self._threads = Threads(len(devices))

    @property
    def free(self) -> list[str | None]:
        """The devices of the places in which nothing runs."""
        return list(self._free)

    @property
    def running(self) -> set[Claim]:
        return set(self._running)

    @property
    def known(self) -> set[Claim]:
        """What runs, and what has ended and is not said yet."""
        return self.running | {claim_of(each.lease) for each in self._ended}

    @property
    def has_ended(self) -> bool:
        """Whether there is something to say."""
        return bool(self._ended)

    def take_ended(self) -> list[Acknowledgement]:
        """What has ended since the last time."""
        ended, self._ended = self._ended, []
        return ended

    def put_back(self, acknowledgements: Iterable[Acknowledgement]) -> None:
        """Keep what could not be said yet."""
        self._ended = [*acknowledgements, *self._ended]

    def start(self, job: Job) -> None:
        """Run a job at the place of its device."""
        self._free.remove(job.device)
        task = asyncio.create_task(self._outcome(job), name=f"tenantry-item-{job.item.item_id}")
        self._running[claim_of(job.item.lease)] = _Running(job, task)
        # Also called for a task that is cancelled before it has begun.
        task.add_done_callback(partial(self._end, job))

    def stop(self, claims: Iterable[Claim], reason: str) -> None:
        """Tell jobs to stop; those that are asynchronous are cancelled."""
        for claim in claims:
            running = self._running.get(claim)
            if running is not None and not running.job.canceled.is_set():
                running.job.canceled.set(reason)
                if self._is_async:
                    running.task.cancel()

    async def settle(self, seconds: float) -> None:
        """Give what was told to stop so long to do so."""
        if self._running:
            await asyncio.wait([running.task for running in self._running.values()], timeout=seconds)

    def abandon(self) -> None:
        """Give back what has not stopped: a thread cannot be ended, but what it says is not heard any more."""
        for running in list(self._running.values()):
            running.job.canceled.set(STOPPING)
            running.task.cancel()
            self._ended.append(Released(lease=running.job.item.lease))
        self._running.clear()

    def close(self) -> None:
        self._threads.close()

    def _end(self, job: Job, task: "asyncio.Task[Acknowledgement]") -> None:
        if self._running.pop(claim_of(job.item.lease), None) is None:
            return
        self._free.append(job.device)
        # Whoever canceled an item, or runs it now, has said what becomes of it.
        if job.canceled.reason in (None, STOPPING):
            self._ended.append(Released(lease=job.item.lease) if task.cancelled() else task.result())
        self._on_end()

    async def _outcome(self, job: Job) -> Acknowledgement:
        lease = job.item.lease
        try:
            result = await self._call(job)
            return Completed(lease=lease, session=None if result is None else self._checked(as_session(result)))
        except RetryLater as later:
            return Released(lease=lease, wait=later.seconds)
        except asyncio.CancelledError as error:
            if job.canceled.is_set():
                return Released(lease=lease)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something else was cancelled that the handler waited for.
            return _failed(lease, error)
        except (Exception, SystemExit) as error:
            # An error may be what a handler makes of being stopped; what runs again shows whether it was.
            return Released(lease=lease) if job.canceled.is_set() else _failed(lease, error)

    async def _call(self, job: Job) -> object:
        if not self._is_async:
            return await self._threads.call(partial(self._handler, job))
        coroutine = self._handler(job)
        assert inspect.isawaitable(coroutine)
        return await coroutine

    def _checked(self, session: str) -> str:
        if len(session.encode()) > self._most_bytes:
            raise ValueError(f"The session is larger than {self._most_bytes} bytes.")
        return session


def _failed(lease: Lease, error: BaseException) -> Failed:
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    # Without the values of variables, which are users' prompts.
    trace = "".join(traceback.format_exception(error))
    return Failed(lease=lease, error_type=type(error).__name__, error_message=message, error_traceback=trace)
