"""One writer at a time, first come first served, for threads and event loops alike."""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field

from tenantry.errors import DatabaseBusy, WriterHeldByThisLoop

__all__ = ["Turns"]


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody in the line: a thread with its event, or a task of `loop` with its future."""

    thread: int
    loop: asyncio.AbstractEventLoop | None = None
    task: "asyncio.Task[object] | None" = None
    future: "asyncio.Future[None] | None" = None
    event: threading.Event = field(default_factory=threading.Event)

    def call(self) -> bool:
        """Tell the waiter that it is its turn; false when its loop was closed and nobody is there any more."""
        if self.loop is None:
            self.event.set()
            return True
        try:
            self.loop.call_soon_threadsafe(_resolve, self.future)
        except RuntimeError:
            return False
        return True


def _resolve(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)


class Turns:
    """A fair mutual exclusion that a thread waits for by blocking and a task by awaiting.

    The one who leaves hands the turn to the next in line, so nobody overtakes. A wait that could never end is refused
    with `WriterHeldByThisLoop`: a thread that would block the very loop whose task holds the turn or stands before it,
    and a holder that asks again.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: _Waiter | None = None
        self._line: deque[_Waiter] = deque()

    def acquire(self, timeout: float) -> None:
        """Wait in this thread, at most `timeout` seconds (`DatabaseBusy` after that)."""
        loop = _running_loop()
        waiter = _Waiter(threading.get_ident(), task=None if loop is None else asyncio.current_task(loop))
        with self._guard:
            if self._holder is None:
                self._holder = waiter
                return
            ahead = [self._holder, *self._line]
            if self._holder.loop is None and self._holder.thread == waiter.thread:
                raise WriterHeldByThisLoop
            if loop is not None and any(other.loop is loop for other in ahead):
                raise WriterHeldByThisLoop
            self._line.append(waiter)
        try:
            came = waiter.event.wait(timeout)
        except BaseException:
            # An interrupt from the keyboard: a turn that came at this very moment goes on to the next.
            if self._leave_line(waiter):
                self.release()
            raise
        if not came and not self._leave_line(waiter):
            raise DatabaseBusy

    async def acquire_async(self, timeout: float) -> None:
        """Wait in this task without blocking its loop, at most `timeout` seconds (`DatabaseBusy` after that)."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(threading.get_ident(), loop, asyncio.current_task())
        with self._guard:
            if self._holder is None:
                self._holder = waiter
                return
            if waiter.task is not None and self._holder.task is waiter.task:
                raise WriterHeldByThisLoop
            waiter.future = loop.create_future()
            self._line.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter.future
        except BaseException as error:
            has_turn = self._leave_line(waiter)
            if isinstance(error, TimeoutError):
                if has_turn:
                    return
                raise DatabaseBusy from None
            if has_turn:
                self.release()
            raise

    def release(self) -> None:
        """Hand the turn to the next in line."""
        with self._guard:
            self._holder = None
            while self._line:
                following = self._line.popleft()
                if following.call():
                    self._holder = following
                    return

    def _leave_line(self, waiter: _Waiter) -> bool:
        """Give up waiting; true when the turn had come all the same."""
        with self._guard:
            if self._holder is waiter:
                return True
            if waiter in self._line:
                self._line.remove(waiter)
            return False


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
