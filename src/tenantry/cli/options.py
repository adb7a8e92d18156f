"""What several commands take, and how they open the database that is meant."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

import tenantry
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL, parse_url
from tenantry.errors import DatabaseUnavailable
from tenantry.queue import QueueRules
from tenantry.settings import Settings
from tenantry.studio import Studio, connect
from tenantry.tenancy import SYSTEM_USER_ID, Method, Principal

__all__ = ["OPERATOR", "DatabaseOption", "chosen_database", "existing_database", "in_studio", "opened"]

T = TypeVar("T")

OPERATOR = Principal(SYSTEM_USER_ID, method=Method.COMMAND_LINE)
"""Whoever runs the command, of whom no more is known."""

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        show_default="TENANTRY_DATABASE, else sqlite:///./tenantry.db",
    ),
]


def chosen_database(given: str | None) -> DatabaseURL:
    """The database of `--database`, else of the settings. Raises `InvalidDatabaseURL`."""
    return parse_url(Settings.read(database=given).database)


def existing_database(given: str | None) -> DatabaseURL:
    """Like `chosen_database`; raises `DatabaseUnavailable` for a file that is not there, so that none is made by a slip."""
    url = chosen_database(given)
    if url.dialect == "sqlite" and not url.path.exists():
        raise DatabaseUnavailable(
            f"There is no file {url.path}.", field="database", remedy="Name another, or make it with: tenantry db upgrade"
        )
    return url


@contextmanager
def opened(given: str | None, *, made: bool = False, migrate: bool | None = None) -> Iterator[Studio]:
    """The studio in a database, for the direct mode; a SQLite file is `made` if need be.

    It is brought up to date first unless `migrate` is False; `SchemaOutdated` is raised then.
    """
    if not made:
        existing_database(given)
    settings = Settings.read(database=given)
    studio = connect(
        settings.database,
        migrate=migrate,
        synchronous=settings.sqlite_synchronous,
        busy_timeout=settings.busy_timeout,
        queue_rules=QueueRules.of(settings),
    )
    try:
        yield studio
    finally:
        studio.close()


def in_studio(given: str | None, operation: Callable[[Studio, Settings], Coroutine[Any, Any, T]]) -> T:
    """Run an operation on the studio in an existing database, on an event loop of its own."""
    existing_database(given)
    settings = Settings.read(database=given)

    async def operate() -> T:
        async with tenantry.open(
            settings.database,
            synchronous=settings.sqlite_synchronous,
            busy_timeout=settings.busy_timeout,
            account_rules=AccountRules.of(settings),
            queue_rules=QueueRules.of(settings),
        ) as studio:
            return await operation(studio, settings)

    return asyncio.run(operate())
