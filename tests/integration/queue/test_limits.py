"""Limits of what a user may queue: which is reached, and when to try again."""

import pytest

from tenantry.errors import InvalidInput, LimitReached, NotAllowed, NotFound
from tenantry.queue import Limits
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import assert_counts_agree, claim, enqueue, register


async def limit(mode: Mode, people: People, **limits: float) -> None:
    """Set what holds for everybody."""
    await mode.write(people.root, lambda work: work.queue_administration.set_defaults(Limits(**limits)))  # type: ignore[arg-type]


async def test_a_user_has_only_so_many_waiting(mode: Mode, people: People) -> None:
    """In all queues together; what runs does not count; others are not concerned."""
    await limit(mode, people, max_pending=3)
    await enqueue(mode, people.ana, 2, queue_id="other")
    with pytest.raises(LimitReached) as refused:
        await enqueue(mode, people.ana, 2)
    assert (refused.value.limit, refused.value.allowed, refused.value.code) == ("max_pending", 3, "limit_reached")
    await enqueue(mode, people.ana, 1)
    await enqueue(mode, people.bo, 3)
    await claim(mode, await register(mode), 6)
    await enqueue(mode, people.ana, 3)
    await assert_counts_agree(mode)


async def test_a_rate_says_when_to_try_again(mode: Mode, people: People, clock: Ticking) -> None:
    """When enough of what was queued is older than the window."""
    await limit(mode, people, per_minute=5, per_hour=8)
    await enqueue(mode, people.ana, 3)
    clock.pass_by(seconds=20)
    await enqueue(mode, people.ana, 2)
    with pytest.raises(LimitReached) as refused:
        await enqueue(mode, people.ana, 1)
    assert refused.value.limit == "per_minute"
    assert refused.value.retry_after == pytest.approx(40, abs=0.5)
    assert "40 seconds" in str(refused.value)
    clock.pass_by(seconds=41)
    await enqueue(mode, people.ana, 3)
    # Both are reached; the hour lasts longer.
    with pytest.raises(LimitReached) as refused:
        await enqueue(mode, people.ana, 3)
    assert refused.value.limit == "per_hour"
    assert refused.value.retry_after == pytest.approx(3_600 - 61, abs=1)
    await enqueue(mode, people.bo, 5)


async def test_a_batch_above_a_rate_never_fits(mode: Mode, people: People) -> None:
    """So there is no time to try again, only a smaller batch."""
    await limit(mode, people, per_day=10)
    with pytest.raises(LimitReached) as refused:
        await enqueue(mode, people.ana, 11)
    assert refused.value.retry_after is None
    assert "at most 10" in str(refused.value)


async def test_deleting_gives_no_rate_back_and_retries_count(mode: Mode, people: People) -> None:
    """A rate is about what was asked for."""
    await limit(mode, people, per_hour=4)
    await enqueue(mode, people.ana, 3)
    await mode.write(people.ana, lambda work: work.queue.cancel_queue())
    await mode.write(people.ana, lambda work: work.queue.retry([1]))
    with pytest.raises(LimitReached):
        await mode.write(people.ana, lambda work: work.queue.retry([2]))
    await mode.write(people.ana, lambda work: work.queue.clear())
    with pytest.raises(LimitReached):
        await enqueue(mode, people.ana, 1)


async def test_an_exception_goes_before_the_default(mode: Mode, people: People) -> None:
    """Where it says something; everybody reads their own."""
    await limit(mode, people, max_pending=1, weight=2)
    await mode.write(people.root, lambda work: work.queue_administration.set_for_user("bo", Limits(max_pending=5)))
    await enqueue(mode, people.bo, 5)
    with pytest.raises(LimitReached):
        await enqueue(mode, people.ana, 2)
    found = await mode.read(people.bo, lambda work: work.queue_administration.of_user("bo"))
    assert found.own == Limits(max_pending=5)
    assert found.effective == Limits(max_pending=5, weight=2)
    assert not found.paused
    with pytest.raises(NotFound):
        await mode.read(people.ana, lambda work: work.queue_administration.of_user("bo"))
    assert (await mode.read(people.root, lambda work: work.queue_administration.of_user("ana"))).own == Limits()


async def test_only_administrators_set_limits_and_only_possible_ones(mode: Mode, people: People) -> None:
    """Each refusal names what it is about."""
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.queue_administration.set_for_user("ana", Limits(weight=9)))
    with pytest.raises(NotFound):
        await mode.write(people.root, lambda work: work.queue_administration.set_for_user("nobody", Limits(weight=9)))
    for field, value in (("weight", 0.0), ("weight", float("nan")), ("weight", 2_000.0), ("per_day", -1)):
        with pytest.raises(InvalidInput) as refused:
            await limit(mode, people, **{field: value})
        assert refused.value.field == field
