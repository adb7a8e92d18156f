"""`tenantry legacy`: what a studio made before it had users."""

from typing import Annotated

import typer

from tenantry.cli.options import OPERATOR, DatabaseOption, in_studio
from tenantry.cli.showing import output, print_table
from tenantry.repositories.ownership import RowsMoved
from tenantry.settings import Settings
from tenantry.studio import Studio

__all__ = ["group"]

group = typer.Typer(
    no_args_is_help=True,
    help="Give away what the built-in user `system` owns: what was made before there were users.",
    epilog="Example: `tenantry legacy assign ana@example.com`",
)


@group.callback()
def legacy() -> None:
    """Give away what the built-in user `system` owns: what was made before there were users."""


@group.command(epilog="Example: `tenantry legacy assign ana@example.com`")
def assign(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The user who gets it.")],
    database: DatabaseOption = None,
) -> None:
    """Give a user everything that belongs to `system`, except what comes with every studio."""

    async def give(studio: Studio, _: Settings) -> RowsMoved:
        return await studio.accounts.legacy_assign(email, by=OPERATOR)

    moved = in_studio(database, give)
    output.print(f"{moved.total} rows were given to {email}.", markup=False)
    if moved.rows:
        print_table(("table", "rows"), list(moved.rows.items()))
