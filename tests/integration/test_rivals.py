"""Several tasks, studios and processes that want the last administrator's place at once: one gets it, on both databases."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenantry import Principal, Studio
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.rival import attempt

ROOT = Path(__file__).parents[2]
PASSWORD = "Correct-Horse-9"


@pytest.fixture
async def studios(database_url: DatabaseURL) -> AsyncIterator[tuple[Studio, Studio]]:
    """Two studios over one database that know nothing of each other, as two servers would."""
    rules = AccountRules(bcrypt_cost=4)
    one, other = connect(database_url, account_rules=rules), connect(database_url, account_rules=rules)
    yield one, other
    await one.aclose()
    await other.aclose()


async def test_of_many_who_set_a_studio_up_one_becomes_its_administrator(studios: tuple[Studio, Studio]) -> None:
    """The others are told that there is one."""
    attempts = [attempt(studios[n % 2], "set-up", f"root{n}@example.com") for n in range(8)]
    outcomes = await asyncio.gather(*attempts)
    assert sorted(outcomes) == ["conflict"] * 7 + ["done"]
    assert await _administrators(studios[0]) == 1


@pytest.mark.parametrize("verb", ["demote", "suspend", "delete"])
async def test_of_administrators_who_all_go_at_once_one_stays(studios: tuple[Studio, Studio], verb: str) -> None:
    """Each attempt alone would be right."""
    accounts = studios[0].accounts
    made = [await accounts.register(f"root{n}@example.com", PASSWORD, is_admin=True) for n in range(6)]
    outcomes = await asyncio.gather(*[attempt(studios[n % 2], verb, user.user_id) for n, user in enumerate(made)])
    assert sorted(outcomes) == ["done"] * 5 + ["last_administrator"]
    assert await _administrators(studios[1]) == 1


async def test_processes_that_set_a_studio_up_make_one_administrator(
    studios: tuple[Studio, Studio], database_url: DatabaseURL
) -> None:
    """The database decides, not the process."""
    outcomes = await _race(database_url, "set-up", [f"root{n}@example.com" for n in range(3)])
    assert sorted(outcomes) == ["conflict", "conflict", "done"]
    assert await _administrators(studios[0]) == 1


async def test_processes_that_demote_each_others_administrator_leave_one(
    studios: tuple[Studio, Studio], database_url: DatabaseURL
) -> None:
    """Two administrators on two hosts."""
    made = [await studios[0].accounts.register(f"root{n}@example.com", PASSWORD, is_admin=True) for n in range(2)]
    outcomes = await _race(database_url, "demote", [user.user_id for user in made])
    assert sorted(outcomes) == ["done", "last_administrator"]
    assert await _administrators(studios[0]) == 1


async def test_studios_that_sign_in_first_at_once_agree_on_the_secret(studios: tuple[Studio, Studio]) -> None:
    """Tokens of either are known to both."""
    await studios[0].accounts.register("ana@example.com", PASSWORD)
    tokens = await asyncio.gather(*[studios[n % 2].accounts.sign_in("ana@example.com", PASSWORD) for n in range(6)])
    known = {(await studio.accounts.identify(token)).user_id for token in tokens for studio in studios}
    assert len(known) == 1


async def _administrators(studio: Studio) -> int:
    async with studio.read(Principal.internal(InternalReason.OPERATE)) as work:
        return await work.users.count_admins()


async def _race(url: DatabaseURL, verb: str, wanted: list[str]) -> list[str]:
    """Start a process for each, let all go at once, and answer what they say."""
    address = url.url.render_as_string(hide_password=False)
    return await asyncio.to_thread(_race_in_processes, address, verb, wanted)


def _race_in_processes(address: str, verb: str, wanted: list[str]) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.rival", address, verb, whom],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for whom in wanted
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in outputs] == [""] * len(wanted)
    return [output.strip() for output, _ in outputs]
