"""Two servers and a worker, many clients, thousands of random operations, and everything killed now and then: nobody misses
anything, gets it twice or out of order, or hears of what is not theirs.

`EVENT_STORM` in the environment is the number of operations, where it is to be another.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, connect
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL
from tenantry.errors import TenantryError
from tenantry.events.places import Places
from tenantry.tenancy import InternalReason
from tests.acceptance.commands import address
from tests.acceptance.listening import Listener, Process, environment_of, listening, server
from tests.acceptance.operators import Operator, prompt_of
from tests.acceptance.oracle import BoardNote, Oracle, stored_events
from tests.conftest import Postgres
from tests.integration.events.carriers import Valkey
from tests.waiting import until_awaited

OPERATIONS = int(os.environ.get("EVENT_STORM", "600"))
INTERNAL = Principal.internal(InternalReason.OPERATE)
PASSWORD = "Correct-Horse-9"
NAMES = ("ana", "bo", "cy", "root")


class Storm:
    """A studio with its processes, its users, and clients of each of them on both servers."""

    def __init__(self, studio: Studio, processes: dict[str, Process], urls: list[str]) -> None:
        self.studio, self.processes, self.urls = studio, processes, urls
        self.boards: dict[str, BoardNote] = {}
        self.who: dict[str, Principal] = {}
        self.listeners: list[Listener] = []

    async def people(self) -> None:
        """Register everybody, and give each a client on each server; some are subscribed to the queue."""
        for number, name in enumerate(NAMES):
            user = await self.studio.accounts.register(f"{name}@example.com", PASSWORD, is_admin=name == "root")
            self.who[name] = user.principal
            token = await self.studio.accounts.issue(user)
            for place, url in enumerate(self.urls):
                transport = ("websocket", "polling")[(number + place) % 2]
                queue_ids = ("default",) if (number + place) % 3 == 0 else ()
                self.listeners.append(Listener(user.user_id, url, token, transport, queue_ids))

    async def operate(self, operations: int) -> None:
        """Let the three users work at the same time, two programs of each."""
        operators = []
        for number, name in enumerate([*NAMES[:3]] * 2):
            who = self.who[name]
            others = [self.who[other].user_id for other in NAMES[:3] if other != name]
            operators.append(Operator(self.studio, who, others, self.boards, seed=number))
        async with asyncio.timeout(600):
            await asyncio.gather(*(operator.work(operations // len(operators)) for operator in operators))

    async def rows(self) -> list[sa.Row[Any]]:
        async with self.studio.read(INTERNAL) as work:
            return list(await work.ground.connection.fetch_all(stored_events(self.studio.dialect)))

    async def is_quiet(self) -> bool:
        """Whether all items have ended, and all events have a place."""
        try:
            async with self.studio.read(INTERNAL) as work:
                counts = (await work.queue.status()).everybody
            return counts.finished == counts.total and all(row.place is not None for row in await self.rows())
        except TenantryError:
            return False

    async def oracle(self) -> Oracle:
        users = {who.user_id for who in self.who.values()}
        places = Places(await self.studio.accounts.derived_secret("event ids"))
        return Oracle(users, {self.who["root"].user_id}, self.boards, places)


@asynccontextmanager
async def chaos(kills: list[Callable[[], None]]) -> AsyncIterator[None]:
    """Do one of these now and then, for as long as the block runs."""
    chance = random.Random(7)

    async def kill() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.5, 2.5))
            await asyncio.to_thread(chance.choice(kills))

    task = asyncio.create_task(kill())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def again(process: Process) -> Callable[[], None]:
    """Kill it, and start it anew."""

    def kill() -> None:
        process.kill()
        process.start()

    return kill


async def ride_out(storm: Storm, operations: int, kills: list[Callable[[], None]]) -> None:
    """Operate while everything is killed; then everybody has had what they are to have, and nothing else."""
    await storm.people()
    for process in storm.processes.values():
        process.start()
    async with listening(storm.listeners):
        async with chaos(kills):
            await storm.operate(operations)
        await until_awaited(storm.is_quiet, deadline=120, every=0.2)
        oracle, rows = await storm.oracle(), await storm.rows()

        missing = {listener: oracle.surely(listener, rows) for listener in storm.listeners}

        async def all_came() -> bool:
            return all(positions <= oracle.had(listener) for listener, positions in missing.items())

        try:
            await until_awaited(all_came, deadline=60, every=0.2)
        finally:
            wrong = [(listener.name, oracle.judge(listener, rows)[:5]) for listener in storm.listeners]
            assert [each for each in wrong if each[1]] == []
    assert_no_secrets(storm)
    print(f"{operations} operations, {len(rows)} stored events, {[len(each.got) for each in storm.listeners]} received")


def assert_no_secrets(storm: Storm) -> None:
    """Nobody's prompts or addresses in what others got, nor who they are in what the queue says."""
    for listener in storm.listeners:
        if listener.name == storm.who["root"].user_id:
            continue
        of_the_queue = [payload for name, payload in listener.got.values() if name.startswith(("queue", "batch"))]
        for name, who in storm.who.items():
            if who.user_id != listener.name:
                assert prompt_of(who.user_id) not in listener.text
                assert f"{name}@example.com" not in listener.text
                assert who.user_id not in str(of_the_queue)


@asynccontextmanager
async def studio_of(url: DatabaseURL, folder: Path, bus: str | None = None) -> AsyncIterator[Storm]:
    """A studio with two servers and a worker, none of which runs yet."""
    studio = connect(url, account_rules=AccountRules(bcrypt_cost=4))
    environment = environment_of(
        address(url), TENANTRY_QUEUE_LEASE="2", TENANTRY_QUEUE_BACKOFF="0", TENANTRY_QUEUE_MAX_ATTEMPTS="50"
    )
    if bus is not None:
        environment["TENANTRY_BUS"] = bus
    (one, first), (other, second) = server(environment, folder / "one"), server(environment, folder / "other")
    words = ["-m", "tenantry", "worker", "tests.acceptance.handlers:quiet", "--concurrency", "8"]
    worker = Process(words, environment, folder / "worker")
    storm = Storm(studio, {"one": one, "other": other, "worker": worker}, [first, second])
    try:
        yield storm
    finally:
        for process in storm.processes.values():
            process.kill()
        await studio.aclose()


@pytest.mark.postgres
async def test_nobody_misses_anything_on_postgresql(postgres: Postgres, postgres_url: DatabaseURL, tmp_path: Path) -> None:
    """Servers, the worker, the bus, and the connections of everybody to the database are killed."""
    valkey = Valkey()
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{postgres_url.url.database}' AND random() < 0.5"
    )

    def restart_valkey() -> None:
        valkey.kill()
        valkey.start()

    try:
        async with studio_of(postgres_url, tmp_path, valkey.url) as storm:
            kills = [again(process) for process in storm.processes.values()]
            await ride_out(storm, OPERATIONS, [*kills, restart_valkey, lambda: postgres.as_superuser(cut)])
    finally:
        valkey.kill()


@pytest.mark.sqlite
async def test_nobody_misses_anything_on_sqlite(sqlite_url: DatabaseURL, tmp_path: Path) -> None:
    """The servers and the worker on one file are killed."""
    async with studio_of(sqlite_url, tmp_path) as storm:
        await ride_out(storm, OPERATIONS // 3, [again(process) for process in storm.processes.values()])
