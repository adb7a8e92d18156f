"""Every public method of every repository, turned against the owner's rows by a stranger and by those she shares with."""

from dataclasses import dataclass

import pytest

from tenantry import Principal, Studio
from tenantry.errors import NotAllowed, NotFound, TenantryError
from tenantry.queue import UnitOfWork
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, Operation
from tests.integration.isolation.plan_kinds import Outcome, Plan, is_empty
from tests.integration.isolation.plans import PLANS, methods
from tests.integration.isolation.snapshot import StoredRow, snapshot
from tests.integration.isolation.world import (
    ADMINISTRATOR,
    HIDDEN,
    MANAGER,
    OWNER,
    READER,
    SHOWN,
    STRANGER,
    WRITER,
    Target,
    fill,
)

INTERNAL = Principal.internal(InternalReason.OPERATE)
SHAREES = {READER.user_id, WRITER.user_id, MANAGER.user_id}


@dataclass
class Undone(Exception):
    """Ends a unit of work without a trace, once what it did was looked at."""

    answer: object
    error: TenantryError | None
    stored: frozenset[StoredRow]


@dataclass(frozen=True)
class Case:
    """Who attacks what, what must come of it, and which words the attacker must not learn."""

    who: Principal
    target: Target
    expected: Outcome
    secrets: frozenset[str]


def test_every_method_has_a_plan() -> None:
    """A new method is named here until somebody says how a stranger would attack with it."""
    assert sorted(set(methods()) - set(PLANS)) == []
    assert sorted(set(PLANS) - set(methods())) == []


@pytest.fixture
async def world(studio: Studio) -> Studio:
    """A studio with everybody's things in it."""
    await fill(studio)
    return studio


async def test_no_method_gives_or_changes_what_is_not_the_callers(mode: Mode, world: Studio) -> None:
    """Each plan, for each kind of attacker; failures are listed by method and attacker."""
    before = (await _try(mode, INTERNAL, _nothing)).stored
    wrong: list[str] = []
    for method, plan in PLANS.items():
        for case in _cases(plan):
            found = await _try(mode, case.who, plan.against(case.target))
            problem = _judge(plan, case, found, before)
            if problem:
                wrong.append(f"{method} by {case.who.user_id} on {case.target.word}: {problem}")
    assert wrong == []


async def test_what_is_tenantrys_own_is_not_even_an_administrators(mode: Mode, world: Studio) -> None:
    """Hashes of passwords above all."""
    for plan in PLANS.values():
        if plan.internal:
            found = await _try(mode, ADMINISTRATOR, plan.against(SHOWN))
            assert type(found.error) is NotAllowed


async def test_every_plan_works_for_whom_it_should(mode: Mode, world: Studio) -> None:
    """An attack that could never succeed would show nothing; the owner's succeeds, and privileged ones an administrator's."""
    wrong: list[str] = []
    for method, plan in PLANS.items():
        who = ADMINISTRATOR if plan.owner is Outcome.NOT_ALLOWED else OWNER
        who = INTERNAL if plan.internal else who
        found = await _try(mode, who, plan.against(SHOWN))
        if found.error is not None:
            wrong.append(f"{method} by {who.user_id}: {found.error!r}")
        elif plan.private is Outcome.EMPTY and is_empty(found.answer):
            wrong.append(f"{method} by {who.user_id}: nothing")
    assert wrong == []


def _cases(plan: Plan) -> list[Case]:
    hers = {"hidden", "vixen", OWNER.user_id}
    others = {STRANGER: hers | SHAREES, READER: {"hidden", *SHAREES}, WRITER: {"hidden", *SHAREES}, MANAGER: {"hidden"}}
    secrets = {who: frozenset(words - {who.user_id}) for who, words in others.items()}
    if plan.shown_is_public:
        secrets = {who: words - {"vixen", OWNER.user_id} for who, words in secrets.items()}
    cases = [Case(who, HIDDEN, plan.private, secrets[who]) for who in (STRANGER, MANAGER)]
    cases.append(Case(STRANGER, SHOWN, plan.shown_to_stranger, secrets[STRANGER]))
    for who, expected in ((READER, plan.reader), (WRITER, plan.writer), (MANAGER, plan.manager)):
        cases.append(Case(who, SHOWN, expected, secrets[who]))
    return cases


async def _nothing(_: UnitOfWork) -> None:
    return None


async def _try(mode: Mode, who: Principal, operation: Operation[object]) -> Undone:
    """Run an operation, look at what is stored in the same transaction, and undo it all."""

    async def attempt(work: UnitOfWork) -> None:
        answer: object = None
        error: TenantryError | None = None
        try:
            answer = await operation(work)
        except (NotFound, NotAllowed) as refused:
            error = refused
        await work.ground.connection.act_as(INTERNAL.identity)
        raise Undone(answer, error, await snapshot(work.ground.connection))

    try:
        await mode.write(who, attempt)
    except Undone as undone:
        return undone
    except TenantryError as error:
        # The database itself refused, so there is nothing to undo.
        return Undone(None, error, frozenset())
    raise AssertionError("an attempt always ends by undoing itself")


def _judge(plan: Plan, case: Case, found: Undone, before: frozenset[StoredRow]) -> str | None:
    refusals = {Outcome.NOT_FOUND: NotFound, Outcome.NOT_ALLOWED: NotAllowed}
    if case.expected in refusals:
        if type(found.error) is not refusals[case.expected]:
            return f"{case.expected.name} expected, not {found.error or found.answer!r}"
    elif found.error is not None:
        return f"{case.expected.name} expected, not {found.error!r}"
    elif case.expected is Outcome.EMPTY and not is_empty(found.answer):
        return f"nothing expected, not {found.answer!r}"
    return _leak(plan, case, found) or _change(case, found, before)


def _leak(plan: Plan, case: Case, found: Undone) -> str | None:
    told = repr(found.answer) if found.error is None else f"{found.error} {vars(found.error)}"
    if plan.repeats_ids:
        for thing in case.target.things():
            told = told.replace(thing, "")
    learned = sorted(word for word in case.secrets if word in told)
    return f"leaks {learned}: {told[:300]}" if learned else None


def _change(case: Case, found: Undone, before: frozenset[StoredRow]) -> str | None:
    changed = before ^ found.stored
    foreign = [row for row in changed if row.owner != case.who.user_id]
    if case.expected is Outcome.SUCCESS:
        foreign = [row for row in foreign if "hidden" in row.text and row.table != "queue_items"]
    return f"changes {foreign[:4]}" if foreign else None
