"""`tenantry doctor`: what is wrong with an installation, and what to do about it."""

import typer

from tenantry.cli.findings import examine
from tenantry.cli.options import DatabaseOption, existing_database
from tenantry.cli.showing import output
from tenantry.settings import Settings

__all__ = ["doctor"]


def doctor(database: DatabaseOption = None) -> None:
    """Check the database and say what to do about whatever is not well; nothing is changed.

    One line a check: that it can be written, the rights of the PostgreSQL login, who may read the file, the schema, the
    policies, links between rows, the search index, that somebody can administer it, and how connections are set.
    Exit status 0 if all is well, else 1.
    """
    url = existing_database(database)
    all_well = True
    for finding in examine(url, Settings.read(database=database)):
        mark = "[green]ok  [/green]" if finding.is_well else "[red]FAIL[/red]"
        output.print(mark, end=" ")
        remedy = "" if finding.remedy is None else f". {finding.remedy}"
        output.print(f"{finding.check:14} {finding.found}{remedy}", markup=False)
        all_well = all_well and finding.is_well
    if not all_well:
        raise typer.Exit(1)
