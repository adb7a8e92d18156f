"""`tenantry import` and `tenantry export`: a studio's way from InvokeAI and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from tenantry.cli.options import DatabaseOption, opened
from tenantry.cli.showing import errors, output, print_table, safe
from tenantry.invokeai.exporter import export_invokeai
from tenantry.invokeai.importer import check_invokeai, import_invokeai
from tenantry.invokeai.reports import ImportReport, Progress
from tenantry.settings import Settings
from tenantry.studio import Studio

__all__ = ["bring_in", "export", "import_"]


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="InvokeAI's database, such as databases/invokeai.db.")],
    database: DatabaseOption = None,
    assign_legacy: Annotated[
        str | None,
        typer.Option(
            "--assign-legacy", metavar="EMAIL", help="Give this user what belongs to nobody: a single-user studio's rows."
        ),
    ] = None,
) -> None:
    """Bring in everything from a database of InvokeAI 6.14, users with their passwords included.

    Everything is brought in or nothing, FILE is not changed, and bringing it in again changes nothing. Image and video files
    stay where they are: set TENANTRY_OUTPUTS to InvokeAI's outputs folder.
    """
    # A file that is refused must not leave an empty database behind.
    check_invokeai(file)
    with opened(database, made=True) as studio:
        report = bring_in(file, studio, assign_legacy=assign_legacy)
    _show_import(report)
    # InvokeAI keeps its database in ROOT/databases and its files in ROOT/outputs.
    beside, above = (folder / "outputs" for folder in file.absolute().parents[:2])
    outputs = beside if beside.is_dir() else above
    if outputs.is_dir() and outputs != Settings.read(database=database).outputs_folder:
        output.print(f"To show its image and video files, serve with TENANTRY_OUTPUTS={outputs}", markup=False)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The database to write; it must not exist yet.")],
    database: DatabaseOption = None,
) -> None:
    """Write everything to a new database that InvokeAI 6.14 opens.

    FILE holds the password hashes and the secret that signs tokens, and only you may read it.
    """
    with opened(database) as studio, _bars() as progress:
        report = export_invokeai(studio, file, progress=progress)
    output.print(f"Written to {file}", markup=False)
    print_table(("table", "rows"), [(each.table, each.rows) for each in report.tables if each.rows])
    for note in report.notes:
        output.print(safe(note), markup=False)


def bring_in(file: Path, studio: Studio, *, assign_legacy: str | None = None) -> ImportReport:
    """Import with a progress bar."""
    with _bars() as progress:
        return import_invokeai(file, studio, assign_legacy=assign_legacy, progress=progress)


def _show_import(report: ImportReport) -> None:
    output.print("Brought in" if report.changed else "Everything was there already")
    print_table(
        ("table", "read", "written", "there already", "kept aside", "mended"),
        [(each.table, each.read, each.written, each.unchanged, each.aside, each.mended) for each in report.tables if each.read],
    )
    if report.former_owners:
        output.print(f"{report.former_owners} owners are not among the users of the file; their rows are kept out of sight.")
    if report.legacy_assigned is not None:
        output.print(f"{report.legacy_assigned} rows that belonged to nobody were given to their new owner.")
    for note in report.notes:
        output.print(safe(note), markup=False)


@contextmanager
def _bars() -> Iterator[Progress]:
    """One bar a table on the error stream, gone when it is done, and none where nobody watches."""
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        known: dict[str, TaskID] = {}

        def show(table: str, done: int, total: int) -> None:
            if table not in known:
                known[table] = bars.add_task(table, total=total)
            bars.update(known[table], completed=done, total=total)

        yield show
