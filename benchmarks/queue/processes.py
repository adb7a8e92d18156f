"""How processes that work are started and timed, the same way for ours and the peers'."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

__all__ = ["Running", "drain_seconds", "wake_up"]

_IDLE = 0.05
"""Seconds between two wake-ups."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that is talked to line by line."""

    process: "subprocess.Popen[str]"
    told: IO[str]
    heard: IO[str]

    @classmethod
    def start(cls, command: Sequence[str]) -> "Running":
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    def tell(self) -> None:
        """Send an empty line."""
        self.told.write("\n")
        self.told.flush()

    def hear(self) -> str:
        """The next line. Raises `RuntimeError` if there will be none."""
        line = self.heard.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended")
        return line.strip()

    def end(self) -> None:
        """Tell that nothing follows, and wait for its end."""
        self.told.close()
        self.process.wait()
        self.heard.close()


def drain_seconds(command: Sequence[str], processes: int) -> float:
    """Seconds until everything has run: from the word to begin, until the last process has stored its last result."""
    workers = [Running.start(command) for _ in range(processes)]
    for worker in workers:
        worker.hear()
    begun = time.perf_counter()
    for worker in workers:
        worker.tell()
    for worker in workers:
        worker.hear()
    taken = time.perf_counter() - begun
    for worker in workers:
        worker.end()
    return taken


def wake_up(command: Sequence[str], send: Callable[[int], float], times: int) -> float:
    """The median of milliseconds from an item's commit, which `send` answers, to its beginning in an idle process."""
    worker = Running.start(command)
    worker.hear()
    taken = []
    for turn in range(times):
        time.sleep(_IDLE)
        committed = send(turn)
        taken.append((float(worker.hear()) - committed) * 1_000)
    worker.end()
    return sorted(taken)[times // 2]
