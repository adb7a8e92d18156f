"""`tenantry doctor`: what is wrong with an installation, and what to do about it."""

import typer

from tenantry.cli.findings import examine
from tenantry.cli.options import DatabaseOption, existing_database
from tenantry.cli.showing import output
from tenantry.settings import Settings

__all__ = ["doctor"]

_OK, _WARN, _FAIL = "[green]ok  [/green]", "[yellow]WARN[/yellow]", "[red]FAIL[/red]"


def doctor(database: DatabaseOption = None) -> None:
    """Check the database and say what to do about whatever is not well; nothing is changed.

    One line a check: that it can be written, the rights of the PostgreSQL login, who may read the file, the schema, the
    policies, links between rows, the search index, that somebody can administer it, and how connections are set.
    Lines begin with ok, with WARN where everything works but could do better, or with FAIL. Exit status 1 if any failed.
    """
    url = existing_database(database)
    any_failed = False
    for finding in examine(url, Settings.read(database=database)):
        failed = not finding.is_well and not finding.minor
        output.print(_FAIL if failed else _OK if finding.is_well else _WARN, end=" ")
        remedy = "" if finding.remedy is None else f". {finding.remedy}"
        output.print(f"{finding.check:14} {finding.found}{remedy}", markup=False)
        any_failed = any_failed or failed
    if any_failed:
        raise typer.Exit(1)
