"""Processes that are killed between the commit and the delivery: what was committed is delivered, and nothing else."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tenantry import Principal, Studio, connect
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL
from tenantry.queue import Batch
from tests.acceptance.commands import address
from tests.acceptance.listening import ROOT, Listener, Process, environment_of, listening, server
from tests.waiting import until_async

GRAPH: dict[str, object] = {"nodes": {}}
COMMIT_AND_DIE = """
import os, sys
from tenantry import Principal, connect, run
from tenantry.queue import Batch
studio = connect(sys.argv[1], migrate=False)
with studio.direct.begin(Principal(sys.argv[2])) as work:
    run(work.queue.enqueue(Batch(graph={"nodes": {}}, origin="committed")))
try:
    with studio.direct.begin(Principal(sys.argv[2])) as work:
        run(work.queue.enqueue(Batch(graph={"nodes": {}}, origin="rolled back")))
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
if sys.argv[3] == "before":
    with studio.direct.begin(Principal(sys.argv[2])) as work:
        run(work.queue.enqueue(Batch(graph={"nodes": {}}, origin="never committed")))
        os.kill(os.getpid(), 9)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
async def studio(database_url: DatabaseURL) -> AsyncIterator[Studio]:
    studio = connect(database_url, account_rules=AccountRules(bcrypt_cost=4))
    yield studio
    await studio.aclose()


@pytest.fixture
async def ana(studio: Studio) -> tuple[Principal, str]:
    """Ana, and her token."""
    user = await studio.accounts.register("ana@example.com", "Correct-Horse-9")
    return user.principal, await studio.accounts.issue(user)


@pytest.fixture
async def served(database_url: DatabaseURL, tmp_path: Path) -> AsyncIterator[tuple[Process, str]]:
    """A server in a process of its own."""
    process, url = server(environment_of(address(database_url)), tmp_path / "said")
    process.start()
    yield process, url
    process.kill()


def origins(listener: Listener) -> list[str]:
    return [payload["origin"] for name, payload in listener.got.values() if name == "batch_enqueued"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_what_was_committed_while_the_server_was_dead_arrives_after_its_return(
    studio: Studio, ana: tuple[Principal, str], served: tuple[Process, str], transport: str
) -> None:
    """The server is killed, and whoever wrote as well, right after the commit."""
    process, url = served
    who, token = ana
    listener = Listener("ana", url, token, transport)
    async with listening([listener]):
        await _enqueue(studio, who, "while it lived")
        await until_async(lambda: origins(listener) == ["while it lived"])
        process.kill()
        await _enqueue(studio, who, "while it was dead")
        process.start()
        await until_async(lambda: listener.greetings == 2)
        await _enqueue(studio, who, "afterwards")
        await until_async(lambda: len(origins(listener)) == 3)
    assert origins(listener) == ["while it lived", "while it was dead", "afterwards"]
    assert listener.refetches == 0


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_writer_that_dies_has_said_what_it_committed(
    database_url: DatabaseURL, studio: Studio, ana: tuple[Principal, str], served: tuple[Process, str], moment: str
) -> None:
    """Before or after a commit: nothing is told of what was rolled back, or never committed."""
    who, token = ana
    listener = Listener("ana", served[1], token, "websocket")
    async with listening([listener]):
        words = [sys.executable, "-c", COMMIT_AND_DIE, address(database_url), who.user_id, moment]
        died = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, env=environment_of(""), timeout=60)
        assert died.returncode == -9
        await _enqueue(studio, who, "afterwards")
        await until_async(lambda: len(origins(listener)) == 2)
    assert origins(listener) == ["committed", "afterwards"]


async def _enqueue(studio: Studio, who: Principal, origin: str) -> None:
    async with studio.begin(who) as work:
        await work.queue.enqueue(Batch(graph=GRAPH, origin=origin))
