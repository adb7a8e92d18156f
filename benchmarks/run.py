"""`make bench`: every operation on both databases in both modes, as median and 95th percentile in milliseconds."""

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tenantry
from benchmarks.dataset import build, is_built
from benchmarks.operations import ADMIN, OPERATIONS, Operation, restore
from benchmarks.servers import postgres_server
from tenantry import Studio, connect, run
from tenantry.database import DatabaseURL

DATA = Path(__file__).parent / "data"
BUDGET = 3.0
"""Seconds that one operation is repeated for at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only operations whose name contains this")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options = parser.parse_args()
    wanted = [operation for operation in OPERATIONS if options.only in operation.name]
    if options.database != "postgresql":
        with _studio(f"sqlite:///{DATA / 'studio.db'}") as studio:
            _report("SQLite", studio, wanted)
    if options.database != "sqlite":
        with postgres_server(DATA / "postgresql") as url, _studio(url) as studio:
            _report("PostgreSQL", studio, wanted)


@contextmanager
def _studio(url: str) -> Iterator[Studio]:
    DATA.mkdir(exist_ok=True)
    studio = connect(url, migrate=True)
    try:
        if not is_built(studio):
            build(studio)
        yield studio
    finally:
        studio.close()


def _report(title: str, studio: Studio, operations: list[Operation]) -> None:
    table = Table("operation", "direct", "p95", "async", "p95", "target (SQLite, direct)", "within", title=title)
    asynchronous = asyncio.run(_measure_async(studio.database.url, operations))
    for operation in operations:
        direct = _measure_direct(studio, operation)
        median, p95 = _figures(direct)
        within = "" if operation.target is None else "yes" if median <= operation.target else "NO"
        table.add_row(
            operation.name,
            f"{median:.2f}",
            f"{p95:.2f}",
            *(f"{figure:.2f}" for figure in _figures(asynchronous[operation.name])),
            "" if operation.target is None else f"{operation.target:.2f}",
            within if title == "SQLite" else "",
        )
    studio.direct.writing(ADMIN, restore)
    Console(width=140).print(table)


def _measure_direct(studio: Studio, operation: Operation) -> list[float]:
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - started < BUDGET and len(times) < 300):
        begun = time.perf_counter()
        with studio.direct.begin(operation.principal) if operation.writes else studio.direct.read(operation.principal) as work:
            run(operation.call(work, len(times)))
        times.append((time.perf_counter() - begun) * 1000)
    return times[1:]


async def _measure_async(url: DatabaseURL, operations: list[Operation]) -> dict[str, list[float]]:
    async with tenantry.open(url) as studio:
        return {operation.name: await _measure_one(studio, operation) for operation in operations}


async def _measure_one(studio: Studio, operation: Operation) -> list[float]:
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - started < BUDGET and len(times) < 300):
        begun = time.perf_counter()
        async with studio.begin(operation.principal) if operation.writes else studio.read(operation.principal) as work:
            await operation.call(work, len(times))
        times.append((time.perf_counter() - begun) * 1000)
    return times[1:]


def _figures(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
