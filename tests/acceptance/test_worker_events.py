"""What a worker's process tells the servers, and they their clients."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import tenantry
from tenantry import Studio
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL
from tenantry.events import Event, EventStream, Refetch, queue, running, stream
from tenantry.queue import Batch
from tenantry.settings import Settings
from tests.acceptance.commands import Command, address, assert_refused
from tests.acceptance.conftest import PASSWORD
from tests.acceptance.processes import Processes
from tests.integration.events.carriers import Valkey

GRAPH = {"nodes": {"noise": {"id": "noise"}, "latents": {"id": "latents"}}, "edges": []}


@pytest.fixture
async def studio(database_url: DatabaseURL) -> AsyncIterator[Studio]:
    """A studio with Ana in it."""
    async with tenantry.open(database_url, account_rules=AccountRules.of(Settings(bcrypt_cost=4))) as studio:
        await studio.accounts.register("ana@example.com", PASSWORD)
        yield studio


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    valkey = Valkey()
    yield valkey
    valkey.kill()


async def enqueue(studio: Studio, token: str) -> None:
    async with studio.begin(await studio.accounts.identify(token)) as work:
        await work.queue.enqueue(Batch(graph=GRAPH))


async def following(events: EventStream) -> AsyncIterator[Event | Refetch]:
    """The events as they come, none later than it should."""
    while True:
        yield await asyncio.wait_for(anext(events), 20)


async def until_status(events: EventStream, status: str) -> None:
    async for event in following(events):
        if isinstance(event, queue.QueueItemStatusChanged) and event.status == status:
            return


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_servers_hear_of_a_workers_changes_at_once(studio: Studio, database_url: DatabaseURL, tmp_path: Path) -> None:
    """Over PostgreSQL, by a server that would not look by itself for an hour."""
    ana = await studio.accounts.sign_in("ana@example.com", PASSWORD)
    with Processes(tmp_path, database=address(database_url)) as processes:
        url = await asyncio.to_thread(processes.serve, "tests.acceptance.deaf_server")
        processes.start("tenantry", "worker", "tests.acceptance.handlers:behind_the_gate", said="worker")
        async with stream(url, ana) as events:
            await enqueue(studio, ana)
            await until_status(events, "in_progress")
            processes.open_gate()
            await until_status(events, "completed")


async def test_owners_hear_how_far_their_jobs_are(
    studio: Studio, database_url: DatabaseURL, valkey: Valkey, tmp_path: Path
) -> None:
    """Over Valkey, from another process; what is told before the connection is there is lost, and nothing else for it."""
    ana = await studio.accounts.sign_in("ana@example.com", PASSWORD)
    with Processes(tmp_path, database=address(database_url), bus=valkey.url) as processes:
        url = await asyncio.to_thread(processes.serve)
        processes.start("tenantry", "worker", "examples.worker:name_nodes", said="worker")
        async with stream(url, ana) as events:
            await enqueue(studio, ana)
            async for event in following(events):
                if isinstance(event, running.QueueItemProgress) and event.fraction == 1:
                    break
                if isinstance(event, queue.QueueItemStatusChanged) and event.status == "completed":
                    await enqueue(studio, ana)
    assert isinstance(event, running.QueueItemProgress)
    assert event.message == "latents is done"
    assert event.user_id == (await studio.accounts.identify(ana)).user_id


def test_a_bus_that_is_none_is_refused(run: Command, sqlite_url: DatabaseURL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is claimed."""
    monkeypatch.setenv("TENANTRY_DATABASE", address(sqlite_url))
    monkeypatch.setenv("TENANTRY_BUS", "http://studio")
    assert_refused(run("worker", "tests.acceptance.handlers:at_once"), "bus")
