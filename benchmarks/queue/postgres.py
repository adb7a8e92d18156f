"""The queue on PostgreSQL with durable commits, beside pgqueuer and procrastinate on the same server."""

import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.queue.dataset import USERS, batch, finish_all, make_users
from benchmarks.servers import fresh_database
from tenantry import Studio, connect
from tenantry.queue import QueueRules

__all__ = ["report_postgresql"]

PEERS = ["pgqueuer[asyncpg]==1.6.0", "procrastinate==3.10.0"]
BULK, DRAINED, WAKEUPS = 20_000, 5_000, 30
_HERE = Path(__file__).parent


def report_postgresql(url: str, data: Path, *, history: int) -> None:
    """Print rates a second and wake-ups in milliseconds: ours, ours with a history, and the peers'."""
    python = _peers(data / "peers")
    ours = _ours(fresh_database(url, "queue_fresh"), 0)
    grown = _ours(fresh_database(url, "queue_grown"), history)
    peers = {
        name: _run(python, name, fresh_database(url, f"peer_{name}", plain=False)) for name in ("pgqueuer", "procrastinate")
    }
    columns = ["a second", "ours", f"with {history:,} finished", *peers, "ours / faster peer"]
    table = Table(*columns, title="Queue on PostgreSQL: jobs of 1 KB, durable commits, one server for all")
    for name in ours:
        others = [float(found[name]) for found in peers.values() if name in found]
        faster = (min if "ms" in name else max)(others, default=float("nan"))
        ratio = faster / ours[name] if "ms" in name else ours[name] / faster
        shown = [f"{found[name]:,.1f}" if name in found else "" for found in peers.values()]
        table.add_row(name, f"{ours[name]:,.1f}", f"{grown[name]:,.1f}", *shown, f"{ratio:.2f}")
    Console(width=140).print(table)


def _ours(url: str, history: int) -> dict[str, float]:
    opened = connect(url, migrate=True)
    studio = Studio(opened.database, queue_rules=QueueRules(max_pending=None, lease=86_400))
    make_users(studio)
    for _ in range(history // 50_000):
        for who in USERS:
            studio.direct.writing(who, lambda work: work.queue.enqueue(batch(1_000)))
        finish_all(studio)
    if history:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("ANALYZE")
    found = {"bulk enqueue": _enqueue(studio)}
    finish_all(studio)
    for name, processes in (("drain, one worker", 1), ("drain, two workers", 2)):
        for who in USERS:
            studio.direct.writing(who, lambda work: work.queue.enqueue(batch(DRAINED // 50)))
        found[name] = DRAINED / _drain(url, processes)
    found["wake-up, p50 in ms"] = _wake_up(studio, url)
    studio.close()
    return found


def _enqueue(studio: Studio) -> float:
    requests = [batch(1_000, kilobytes=1) for _ in range(BULK // 1_000)]
    begun = time.perf_counter()
    for turn, request in enumerate(requests):
        studio.direct.writing(USERS[turn % 50], lambda work, request=request: work.queue.enqueue(request))  # type: ignore[misc]
    return BULK / (time.perf_counter() - begun)


def _drain(url: str, processes: int) -> float:
    """Seconds until everything has run, from the first claim to the last acknowledgement, whatever starting takes."""
    command = [sys.executable, "-m", "benchmarks.queue.draining", url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) for _ in range(processes)]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    begun = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.wait()
    return time.perf_counter() - begun


def _wake_up(studio: Studio, url: str) -> float:
    """Milliseconds from the commit of an item to its handler's begin, in a worker in another process."""
    command = [sys.executable, "-m", "benchmarks.queue.waking", url, str(WAKEUPS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    taken = []
    for turn in range(WAKEUPS):
        time.sleep(0.05)
        studio.direct.writing(USERS[turn % 50], lambda work: work.queue.enqueue(batch(1)))
        committed = time.time()
        taken.append((float(process.stdout.readline()) - committed) * 1_000)
    process.wait()
    return sorted(taken)[WAKEUPS // 2]


def _peers(folder: Path) -> str:
    """The interpreter of an environment with the peers, which is made once."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return str(python)


def _run(python: str, name: str, url: str) -> dict[str, Any]:
    script = _HERE / "peers" / f"with_{name}.py"
    ran = subprocess.run(
        [python, str(script), url, str(BULK), str(DRAINED), str(WAKEUPS)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        Console().print(f"{name} could not be measured: {ran.stderr.strip().splitlines()[-1:]}", markup=False)
        return {}
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found
