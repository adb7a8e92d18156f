"""The writer's turn: first come first served for threads and tasks, and never lost."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tenantry.database.turns import Turns
from tenantry.errors import DatabaseBusy, WriterHeldByThisLoop
from tests.waiting import DEADLINE, until, until_async


def waiting(turns: Turns) -> int:
    return len(turns._line)


async def until_waiting(turns: Turns, number: int) -> None:
    await until_async(lambda: waiting(turns) == number)


def is_free(turns: Turns) -> bool:
    """Whether the next one gets the turn at once."""
    try:
        turns.acquire(0)
    except DatabaseBusy:
        return False
    turns.release()
    return True


async def test_threads_and_tasks_are_served_in_the_order_in_which_they_came() -> None:
    """Neither kind of waiter overtakes the other."""
    turns, served = Turns(), []

    def thread(name: str) -> None:
        turns.acquire(DEADLINE)
        served.append(name)
        turns.release()

    async def task(name: str) -> None:
        await turns.acquire_async(DEADLINE)
        served.append(name)
        turns.release()

    holder = asyncio.create_task(turns.acquire_async(DEADLINE))
    await holder
    with ThreadPoolExecutor(8) as threads:
        jobs: list[asyncio.Future[None]] = []
        for number in range(16):
            name = f"{number:02d}"
            if number % 2:
                jobs.append(asyncio.create_task(task(name)))
            else:
                jobs.append(asyncio.get_running_loop().run_in_executor(threads, thread, name))
            await until_waiting(turns, number + 1)
        turns.release()
        await asyncio.gather(*jobs)
    assert served == sorted(served)
    assert len(served) == 16
    assert is_free(turns)


async def test_only_one_holds_the_turn_at_a_time() -> None:
    """Two loops' worth of tasks and some threads never meet inside."""
    turns, inside, most = Turns(), 0, 0

    def enter() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)

    def leave() -> None:
        nonlocal inside
        inside -= 1

    def thread() -> None:
        for _ in range(50):
            turns.acquire(DEADLINE)
            enter()
            leave()
            turns.release()

    async def task() -> None:
        for _ in range(50):
            await turns.acquire_async(DEADLINE)
            enter()
            await asyncio.sleep(0)
            leave()
            turns.release()

    async def tasks() -> None:
        await asyncio.gather(*[task() for _ in range(4)])

    await asyncio.gather(tasks(), asyncio.to_thread(asyncio.run, tasks()), *[asyncio.to_thread(thread) for _ in range(3)])
    assert most == 1
    assert is_free(turns)


async def test_a_task_that_is_cancelled_while_it_waits_leaves_the_line() -> None:
    """The ones behind it move up."""
    turns = Turns()
    turns.acquire(0)
    first = asyncio.create_task(turns.acquire_async(DEADLINE))
    second = asyncio.create_task(turns.acquire_async(DEADLINE))
    await until_waiting(turns, 2)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    assert waiting(turns) == 1
    turns.release()
    await second
    turns.release()
    assert is_free(turns)


async def test_a_turn_that_comes_to_a_task_just_cancelled_goes_on_to_the_next() -> None:
    """Hand-over and cancellation in the same round of the loop, in either order, lose nothing."""
    for cancelled_first in (True, False):
        turns = Turns()
        turns.acquire(0)
        unlucky = asyncio.create_task(turns.acquire_async(DEADLINE))
        following = asyncio.create_task(turns.acquire_async(DEADLINE))
        await until_waiting(turns, 2)
        steps: list[Callable[[], object]] = [unlucky.cancel, turns.release]
        for step in steps if cancelled_first else reversed(steps):
            step()
        with pytest.raises(asyncio.CancelledError):
            await unlucky
        await asyncio.wait_for(following, DEADLINE)
        turns.release()
        assert is_free(turns)


async def test_a_turn_that_was_resolved_before_the_cancellation_goes_on_too() -> None:
    """The future is done already, the task has not run yet, and then it is cancelled."""
    turns = Turns()
    turns.acquire(0)
    unlucky = asyncio.create_task(turns.acquire_async(DEADLINE))
    await until_waiting(turns, 1)
    turns.release()
    holder = turns._holder
    assert holder is not None
    assert holder.future is not None
    # Called when the future resolves, which is before the waiting task itself runs.
    holder.future.add_done_callback(lambda _: unlucky.cancel())
    with suppress(asyncio.CancelledError):
        await unlucky
        turns.release()
    assert is_free(turns)


async def test_waiting_longer_than_the_timeout_says_that_the_database_is_busy() -> None:
    """For a thread and for a task; both leave the line."""
    turns = Turns()
    holder = asyncio.create_task(turns.acquire_async(0))
    await holder
    with pytest.raises(DatabaseBusy):
        await turns.acquire_async(0.01)
    with pytest.raises(DatabaseBusy):
        await asyncio.to_thread(turns.acquire, 0.01)
    assert waiting(turns) == 0
    turns.release()
    assert is_free(turns)


async def test_a_thread_may_not_wait_for_a_task_of_the_loop_that_it_blocks() -> None:
    """The task could never go on, so the wait is refused at once, without the timeout."""
    turns = Turns()
    await turns.acquire_async(0)
    with pytest.raises(WriterHeldByThisLoop):
        turns.acquire(DEADLINE)
    turns.release()
    assert is_free(turns)


async def test_a_thread_may_not_stand_behind_a_task_of_the_loop_that_it_blocks() -> None:
    """Another thread holds the turn, but this loop's task would get it next."""
    turns, leave = Turns(), threading.Event()

    def other() -> None:
        turns.acquire(DEADLINE)
        leave.wait(DEADLINE)
        turns.release()

    thread = asyncio.create_task(asyncio.to_thread(other))
    await until_async(lambda: turns._holder is not None)
    task = asyncio.create_task(turns.acquire_async(DEADLINE))
    await until_waiting(turns, 1)
    with pytest.raises(WriterHeldByThisLoop):
        turns.acquire(DEADLINE)
    leave.set()
    await task
    turns.release()
    await thread
    assert is_free(turns)


async def test_the_loops_own_thread_may_wait_for_another_thread() -> None:
    """That wait ends, because the other thread needs nothing of the loop."""
    turns, entered = Turns(), threading.Event()

    def other() -> None:
        turns.acquire(DEADLINE)
        entered.set()
        until(lambda: waiting(turns) == 1)
        turns.release()

    thread = asyncio.create_task(asyncio.to_thread(other))
    await until_async(entered.is_set)
    turns.acquire(DEADLINE)
    turns.release()
    await thread
    assert is_free(turns)


async def test_who_holds_the_turn_may_not_ask_for_it_again() -> None:
    """A thread in a thread's, a task in a task's, and a task inside its own direct transaction."""
    turns = Turns()
    await turns.acquire_async(0)
    with pytest.raises(WriterHeldByThisLoop):
        await turns.acquire_async(DEADLINE)
    turns.release()
    turns.acquire(0)
    with pytest.raises(WriterHeldByThisLoop):
        turns.acquire(DEADLINE)
    with pytest.raises(WriterHeldByThisLoop):
        await turns.acquire_async(DEADLINE)
    turns.release()
    assert is_free(turns)


def test_a_waiter_whose_loop_was_closed_does_not_get_the_turn() -> None:
    """Nobody would ever give it back."""
    turns = Turns()
    turns.acquire(0)
    loop = asyncio.new_event_loop()
    waits = turns.acquire_async(DEADLINE)
    abandoned = loop.create_task(waits)
    loop.run_until_complete(asyncio.sleep(0))
    assert waiting(turns) == 1
    loop.close()
    turns.release()
    assert is_free(turns)
    # The loop is gone, so the task can only be put away by hand.
    abandoned._log_destroy_pending = False  # type: ignore[attr-defined]
    waits.close()


def test_an_interrupted_thread_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting must not leave a waiter that gets the turn later."""
    turns = Turns()
    turns.acquire(0)

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    def wait() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Event, "wait", interrupted)
            turns.acquire(DEADLINE)

    errors: list[BaseException] = []

    def thread() -> None:
        try:
            # Not through Event.wait, which is what is interrupted.
            wait()
        except KeyboardInterrupt as error:
            errors.append(error)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(thread).result()
    assert len(errors) == 1
    assert waiting(turns) == 0
    turns.release()
    assert is_free(turns)
