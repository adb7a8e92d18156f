"""Changes of status as InvokeAI makes them (contract, section 4.9: transition rule)."""

import pytest

from tenantry.errors import IllegalTransition, NotAllowed, NotFound
from tenantry.queue import Status
from tenantry.queue.changes import ItemChanged
from tenantry.queue.states import FINAL, LIVE, TRANSITIONS, may_become
from tenantry.queue.transitions import Moved
from tests.integration.conftest import Mode, People
from tests.integration.queue.scene import INTERNAL, assert_counts_agree, enqueue


async def become(mode: Mode, item_id: int, after: Status, **errors: str) -> Moved | None:
    """As InvokeAI's processor does it."""
    return await mode.write(INTERNAL, lambda work: work.dispatch.become(item_id, after, **errors))


@pytest.mark.parametrize("after", list(Status))
async def test_what_has_not_ended_may_become_anything(mode: Mode, people: People, after: Status) -> None:
    """Each time the sequence grows and one change is told, also where the status stays; an end stays an end."""
    told: list[object] = []
    stop = mode.studio.listen(told.extend)
    for before in sorted(LIVE):
        made = await enqueue(mode, people.ana, destination="canvas")
        (item_id,) = made.item_ids
        await become(mode, item_id, before)
        moved = await become(mode, item_id, after, error_type="E", error_message="m")
        assert moved is not None
        assert moved.status_sequence == 2
        (item, *_) = (await mode.read(people.ana, lambda work: work.queue.slice())).items
        assert (item.status, item.error_type, item.completed_at is not None) == (after, "E", after in FINAL)
        if after in FINAL:
            assert await become(mode, item_id, Status.PENDING) is None
    stop()
    assert len([each for each in told if isinstance(each, ItemChanged)]) == 2 * len(LIVE)
    await assert_counts_agree(mode)


async def test_it_is_not_for_tenants_and_not_for_nothing(mode: Mode, people: People) -> None:
    """InvokeAI's processor acts for everybody."""
    with pytest.raises(NotAllowed):
        await mode.write(people.ana, lambda work: work.dispatch.become(1, Status.FAILED))
    with pytest.raises(NotFound):
        await mode.write(INTERNAL, lambda work: work.dispatch.become(1, Status.FAILED))


def test_the_table_of_transitions_is_the_designs() -> None:
    """Every other change is refused; nothing comes after an end."""
    legal = {(before, after) for before, following in TRANSITIONS.items() for after in following}
    pending, running, waiting = Status.PENDING, Status.IN_PROGRESS, Status.WAITING
    completed, failed, canceled = Status.COMPLETED, Status.FAILED, Status.CANCELED
    assert legal == {
        *((pending, after) for after in (running, canceled, failed)),
        *((running, after) for after in (completed, failed, canceled, waiting, pending)),
        *((waiting, after) for after in (pending, canceled, failed)),
    }
    assert all(may_become(before, after) == ((before, after) in legal) for before in Status for after in Status)
    assert "pending cannot become completed" in str(IllegalTransition(pending, completed))
