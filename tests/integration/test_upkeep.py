"""What a server does by itself: the text index, the leases of workers that are gone, and the queue's history."""

from datetime import timedelta

import pytest

from tenantry import InternalReason, Principal, Studio
from tenantry.api.upkeep import Sweeping, prune_logins, recover_leases, upkeep
from tenantry.errors import DatabaseUnavailable
from tenantry.queue import Status
from tenantry.repositories.login_attempts import Subject
from tests.integration.conftest import Mode, People, Ticking
from tests.integration.queue.scene import INTERNAL, claim, complete, enqueue, register, statuses
from tests.waiting import until_async, until_awaited

INDEXER = Principal.internal(InternalReason.INDEX_SEARCH)


async def test_new_rows_are_indexed_in_the_background(studio: Studio, people: People) -> None:
    """What was saved before and while the server runs is indexed soon after."""
    await _save(studio, people.ana, "before")
    async with upkeep(studio, idle=0.01):
        await until_awaited(lambda: _nothing_pending(studio))
        await _save(studio, people.ana, "meanwhile")
        await until_awaited(lambda: _nothing_pending(studio))
    assert await _nothing_pending(studio)


async def test_the_items_of_workers_that_are_gone_go_to_others(studio: Studio, people: People, clock: Ticking) -> None:
    """Those of the living stay theirs; a day later nobody remembers who was lost."""
    mode = Mode(studio, "async")
    await enqueue(mode, people.ana, 2)
    await claim(mode, await register(mode, "gone"))
    clock.now += timedelta(seconds=29)
    await claim(mode, await register(mode, "alive"))
    clock.now += timedelta(seconds=2)
    assert await recover_leases(studio)
    assert not await recover_leases(studio)
    assert await statuses(mode) == {1: Status.PENDING, 2: Status.IN_PROGRESS}
    assert [worker.name for worker in await mode.read(INTERNAL, lambda work: work.workers.all())] == ["gone", "alive"]
    clock.now += timedelta(days=1)
    assert await recover_leases(studio)
    assert [worker.name for worker in await mode.read(INTERNAL, lambda work: work.workers.all())] == ["alive"]
    assert await statuses(mode) == {1: Status.PENDING, 2: Status.PENDING}


async def test_history_is_deleted_step_by_step(studio: Studio, people: People, clock: Ticking) -> None:
    """For as long as there is something to delete; a step also goes on where the last one ended."""
    mode = Mode(studio, "async")
    await enqueue(mode, people.ana, 3)
    await complete(mode, *await claim(mode, await register(mode), 3))
    sweeping = Sweeping(studio)
    assert not await sweeping.step()
    await mode.write(people.root, lambda work: work.queue_administration.set_history(keep_items=1))
    assert await sweeping.step()
    assert len(await statuses(mode)) == 1
    await mode.write(people.root, lambda work: work.queue.clear())
    clock.now += timedelta(days=2)
    while await sweeping.step():
        pass
    async with studio.read(INTERNAL) as work:
        assert (await work.queue.slice()).items == []
        assert (await work.queue.status()).everybody.total == 0


async def test_failed_logins_are_forgotten_after_a_day(studio: Studio, clock: Ticking) -> None:
    """Younger ones stay."""
    subjects = [Subject("account:old", 3), Subject("account:young", 3)]
    async with studio.begin(INTERNAL) as work:
        await work.login_attempts.begin(subjects[:1], timedelta(minutes=1))
    clock.pass_by(hours=23)
    async with studio.begin(INTERNAL) as work:
        await work.login_attempts.begin(subjects[1:], timedelta(minutes=1))
    clock.pass_by(hours=2)
    assert not await prune_logins(studio)
    async with studio.begin(INTERNAL) as work:
        assert [await work.login_attempts.lift([subject]) for subject in subjects] == [0, 1]


async def test_a_duty_that_fails_is_tried_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its error, and the others are not touched."""
    errors = [ZeroDivisionError("a defect"), DatabaseUnavailable("out of reach")]
    done: list[bool] = []

    async def recover(_: Studio) -> bool:
        if errors:
            raise errors.pop()
        done.append(True)
        return False

    monkeypatch.setattr("tenantry.api.upkeep.recover_leases", recover)
    monkeypatch.setattr(type(studio.queue_rules), "lease", 0.03)
    async with upkeep(studio):
        await until_async(lambda: bool(done))
    said = capsys.readouterr()
    assert "ZeroDivisionError" in said.out + said.err
    assert "out of reach" in said.out + said.err


async def _save(studio: Studio, who: Principal, name: str) -> None:
    async with studio.begin(who) as work:
        await work.images.save(name, origin="internal", category="general", width=1, height=1, metadata='{"p": "fox"}')


async def _nothing_pending(studio: Studio) -> bool:
    async with studio.read(INDEXER) as work:
        return await work.search_index.pending() == 0
