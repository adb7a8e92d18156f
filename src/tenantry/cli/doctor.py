"""`tenantry doctor`: what is wrong with an installation, and what to do about it."""

from typing import Annotated

import typer

from tenantry.cli.findings import examine
from tenantry.cli.options import DatabaseOption, existing_database, opened
from tenantry.cli.showing import output
from tenantry.queue import UnitOfWork
from tenantry.repositories.queue_counts import recount
from tenantry.repositories.queue_turns import remember_turns
from tenantry.settings import Settings
from tenantry.tenancy import InternalReason, Principal

__all__ = ["doctor"]

_OK, _WARN, _FAIL = "[green]ok  [/green]", "[yellow]WARN[/yellow]", "[red]FAIL[/red]"


def doctor(
    database: DatabaseOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="First count the queue's items anew, and note again when users were last served.")
    ] = False,
) -> None:
    """Check the database and say what to do about whatever is not well; without `--repair` nothing is changed.

    One line a check: that it can be written, the rights of the PostgreSQL login, who may read the file, the schema, the
    policies, links between rows, the search index, the queue's counts, that somebody can administer it, and how connections
    are set. Lines begin with ok, with WARN where everything works but could do better, or with FAIL. Exit status 1 if any
    failed.
    """
    url = existing_database(database)
    if repair:
        # Whoever asks for a repair has not asked for another schema.
        with opened(database, migrate=False) as studio:
            studio.direct.writing(Principal.internal(InternalReason.OPERATE), _repair)
    any_failed = False
    for finding in examine(url, Settings.read(database=database)):
        failed = not finding.is_well and not finding.minor
        output.print(_FAIL if failed else _OK if finding.is_well else _WARN, end=" ")
        remedy = "" if finding.remedy is None else f". {finding.remedy}"
        output.print(f"{finding.check:14} {finding.found}{remedy}", markup=False)
        any_failed = any_failed or failed
    if any_failed:
        raise typer.Exit(1)


async def _repair(work: UnitOfWork) -> None:
    await recount(work.ground.connection)
    await remember_turns(work.ground.connection)
