"""`make bench`: every operation on both databases in both modes, as median and 95th percentile in milliseconds."""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tenantry
from benchmarks.counting import count_statements
from benchmarks.dataset import build, is_built
from benchmarks.events.report import report_events_on_postgresql, report_events_on_sqlite
from benchmarks.operations import ADMIN, OPERATIONS, Operation, restore
from benchmarks.queue.fairness import report_fairness
from benchmarks.queue.postgres import report_postgresql
from benchmarks.queue.sqlite import report_sqlite
from benchmarks.servers import fresh_database, postgres_server
from tenantry import Studio, connect, run
from tenantry.database import DatabaseURL

DATA = Path(__file__).parent / "data"
BUDGET = 5.0
"""Seconds that one operation is repeated for at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only operations whose name contains this; `queue`, `events`: only theirs")
    parser.add_argument("--finished", type=int, default=1_000_000, help="finished items of the queue's larger history")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options = parser.parse_args()
    wanted = [operation for operation in OPERATIONS if options.only in operation.name]
    if options.database != "postgresql" and wanted:
        with _studio(f"sqlite:///{DATA / 'studio.db'}") as studio:
            asyncio.run(_report("SQLite", studio.database.url, wanted))
    if options.database != "sqlite" and wanted:
        with postgres_server(DATA / "postgresql") as url, _studio(url) as studio:
            asyncio.run(_report("PostgreSQL", studio.database.url, wanted))
    if options.only in ("", "queue"):
        _report_queue(options.database, options.finished)
    if options.only in ("", "events"):
        _report_events(options.database)


def _report_queue(database: str, finished: int) -> None:
    if database != "postgresql":
        report_sqlite(10_000, finished)
        with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as folder:
            report_fairness("SQLite", f"sqlite:///{folder}/fair.db")
    if database != "sqlite":
        with postgres_server(DATA / "postgresql") as url:
            report_postgresql(url, DATA, history=finished)
            report_fairness("PostgreSQL", fresh_database(url, "queue_fair"))


def _report_events(database: str) -> None:
    if database != "postgresql":
        report_events_on_sqlite()
    if database != "sqlite":
        with postgres_server(DATA / "postgresql") as url:
            report_events_on_postgresql(url)


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


async def _report(title: str, url: DatabaseURL, operations: list[Operation]) -> None:
    """InvokeAI's figures and the limits that follow from them are for the direct mode on SQLite.

    The asynchronous mode may take a millisecond more for each statement.
    """
    columns = ("operation", "direct", "p95", "async", "p95", "statements", "InvokeAI", "direct at most", "within")
    table = Table(*columns, title=title)
    async with tenantry.open(url) as studio:
        for operation in operations:
            statements = count_statements(studio, operation)
            direct, hopping = await _measure(studio, operation)
            more = statistics.median(b - a for a, b in zip(direct, hopping, strict=True))
            holds = (operation.target is None or statistics.median(direct) <= operation.target) and more <= statements
            table.add_row(
                operation.name,
                *(f"{figure:.2f}" for times in (direct, hopping) for figure in _figures(times)),
                str(statements),
                *("" if figure is None else f"{figure:.2f}" for figure in (operation.invokeai, operation.target)),
                ("yes" if holds else "NO") if studio.database.dialect == "sqlite" else "",
            )
        studio.direct.writing(ADMIN, restore)
    Console(width=140).print(table)


async def _measure(studio: Studio, operation: Operation) -> tuple[list[float], list[float]]:
    """Both modes in turn, so that they are compared under the same load; the first pair only warms up."""
    direct: list[float] = []
    hopping: list[float] = []
    started = time.perf_counter()
    while len(direct) < 6 or (time.perf_counter() - started < BUDGET and len(direct) < 300):
        begun = time.perf_counter()
        with studio.direct.begin(operation.principal) if operation.writes else studio.direct.read(operation.principal) as work:
            run(operation.call(work, len(direct)))
        between = time.perf_counter()
        async with studio.begin(operation.principal) if operation.writes else studio.read(operation.principal) as work:
            await operation.call(work, len(direct))
        direct.append((between - begun) * 1000)
        hopping.append((time.perf_counter() - between) * 1000)
    return direct[1:], hopping[1:]


def _figures(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
