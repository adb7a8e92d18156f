"""The queue on PostgreSQL with durable commits, beside pgqueuer and procrastinate on the same server."""

import subprocess
import venv
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.queue.bare import measure_bare
from benchmarks.queue.ours import BULK, DRAINED, ROWS, WAKEUPS, measure_ours
from benchmarks.queue.processes import Running, drain_seconds, wake_up
from benchmarks.servers import fresh_database

__all__ = ["report_postgresql"]

PEERS = {"pgqueuer": "pgqueuer[asyncpg]==1.6.0", "procrastinate": "procrastinate==3.10.0"}
GROWTH = 1.5
"""How many times slower anything may be with the history."""

_HERE = Path(__file__).parent


def report_postgresql(url: str, data: Path, *, history: int) -> None:
    """Print rates a second and wake-ups in milliseconds: ours, ours with a history, the peers', and a bare table's."""
    python = _environment(data / "peers")
    ours = measure_ours(fresh_database(url, "queue_fresh"), 0)
    grown = measure_ours(fresh_database(url, "queue_grown"), history)
    peers = {name: _measure(python, name, fresh_database(url, f"peer_{name}", plain=False)) for name in PEERS}
    bare = measure_bare(fresh_database(url, "queue_bare"))
    columns = ("a second", "ours", f"{history:,} finished", "growth", *PEERS, "ours / faster", "within", "bare", "of bare")
    table = Table(*columns, title=f"Queue on {_server(url)}: jobs of 1 KB, one server for all")
    for name in ROWS:
        less_is_better = name.endswith("ms")
        growth = grown[name] / ours[name] if less_is_better else ours[name] / grown[name]
        others = [found[name] for found in peers.values() if name in found]
        ratio = None
        if others:
            ratio = min(others) / ours[name] if less_is_better else ours[name] / max(others)
        holds = growth <= GROWTH and (ratio is None or ratio >= 1)
        table.add_row(
            name,
            f"{ours[name]:,.1f}",
            f"{grown[name]:,.1f}",
            f"{growth:.2f}",
            *(_shown(found.get(name)) for found in peers.values()),
            "" if ratio is None else f"{ratio:.2f}",
            "yes" if holds else "NO",
            _shown(bare.get(name)),
            f"{ours[name] / bare[name]:.2f}" if name in bare else "",
        )
    Console(width=150).print(table)


def _shown(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.1f}"


def _server(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        shown = [
            connection.execute(f"SHOW {name}".encode()).fetchone() for name in ("server_version", "fsync", "synchronous_commit")
        ]
    version, fsync, synchronous = (row[0] for row in shown if row)
    return f"PostgreSQL {version} (fsync {fsync}, synchronous_commit {synchronous})"


def _environment(folder: Path) -> str:
    """The interpreter of an environment with the peers, which is made once."""
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--quiet", *PEERS.values()], check=True)
        made.touch()
    return str(python)


def _measure(python: str, name: str, url: str) -> dict[str, float]:
    """A peer's figures; what cannot be measured is said and left out."""
    command = [python, str(_HERE / "peers" / f"with_{name}.py"), url]
    found: dict[str, float] = {}
    try:
        _ask(command, "install")
        found[ROWS[0]] = BULK / float(_ask(command, "bulk", BULK))
        for row, processes in ((ROWS[1], 1), (ROWS[2], 2)):
            _ask(command, "fill", DRAINED)
            found[row] = DRAINED / drain_seconds([*command, "drain"], processes)
            if left := int(_ask(command, "left")):
                raise RuntimeError(f"{left} jobs were not run")
        found[ROWS[4]] = _wake_up(command)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        Console(width=150).print(f"{name} could not be measured: {error}", markup=False)
    return found


def _ask(command: list[str], *words: str | int) -> str:
    return subprocess.run([*command, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _wake_up(command: list[str]) -> float:
    sender = Running.start([*command, "send"])
    sender.hear()

    def send(_: int) -> float:
        sender.tell()
        return float(sender.hear())

    taken = wake_up([*command, "wake", str(WAKEUPS)], send, WAKEUPS)
    sender.end()
    return taken
