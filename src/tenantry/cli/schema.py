"""`tenantry db`: the database's schema and its migrations."""

from typing import Annotated

import typer

from tenantry import alembic
from tenantry.cli.options import DatabaseOption, chosen_database, existing_database
from tenantry.errors import MigrationFailed

__all__ = ["group"]

group = typer.Typer(
    no_args_is_help=True,
    help="Bring the schema of the database up to date, take it back, or look at it.",
    epilog="Example: `tenantry db upgrade --database postgresql://tenantry:secret@localhost/studio`",
)


@group.command(epilog="Example: `tenantry db upgrade`")
def upgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Where to stop.")] = "head",
    database: DatabaseOption = None,
) -> None:
    """Bring the schema up to this program's, or to REVISION; a SQLite file that is not there is made.

    It is one transaction that runs alone: everything is done, or nothing.
    """
    url = chosen_database(database)
    before = alembic.revisions(url)
    alembic.upgrade(url, revision)
    after = alembic.revisions(url)
    done = "is at" if before.current == after.current else "was brought to"
    print(f"{url.shown} {done} revision {after.current}.")


@group.command(epilog="Example: `tenantry db downgrade base --yes`")
def downgrade(
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="The revision to go back to, or base for an empty database.")
    ],
    database: DatabaseOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the schema back to REVISION, with the loss of what only the newer schema holds. `base` leaves no table."""
    url = existing_database(database)
    if not yes:
        typer.confirm(f"Take {url.shown} back to {revision} and lose what only the newer schema holds?", abort=True)
    alembic.downgrade(url, revision)
    print(f"{url.shown} is at revision {alembic.revisions(url).current or 'base'}.")


@group.command(epilog="Example: `tenantry db current`")
def current(database: DatabaseOption = None) -> None:
    """Say what revision the database is at, and whether it is this program's."""
    url = existing_database(database)
    found = alembic.revisions(url)
    if found.up_to_date:
        meaning = "up to date"
    elif found.known:
        meaning = f"older than {found.head}; run: tenantry db upgrade"
    else:
        meaning = f"not known to this program, which is at {found.head}"
    print(f"{url.shown} is at revision {found.current or 'base'} ({meaning}).")


@group.command(epilog="Example: `tenantry db check && tenantry serve`")
def check(database: DatabaseOption = None) -> None:
    """Fail unless the schema is up to date and has exactly the tables that this program knows."""
    url = existing_database(database)
    alembic.check_schema(url)
    differences = alembic.drift(url)
    if differences:
        raise MigrationFailed(
            f"The schema differs from this program's in {len(differences)} places, first: {differences[0]}.",
            field="database",
            remedy="Undo changes that were made by hand, or restore a backup.",
        )
    print(f"{url.shown} is at revision {alembic.revisions(url).current} and has exactly the tables of this program.")
