"""`tenantry serve`: the server."""

from typing import Annotated

import typer

from tenantry.cli.options import DatabaseOption
from tenantry.settings import Settings

__all__ = ["HostOption", "PortOption", "serve"]

HostOption = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="Listen on this address.", show_default="TENANTRY_HOST, else 127.0.0.1"),
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="NUMBER",
        min=0,
        max=65535,
        help="Listen on this port; 0 takes a free one.",
        show_default="TENANTRY_PORT, else 9100",
    ),
]


def serve(
    database: DatabaseOption = None,
    host: HostOption = None,
    port: PortOption = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring the schema of a PostgreSQL database up to date first.")
    ] = False,
) -> None:
    """Serve the studio until Ctrl-C: the web page at /, the API at /api/v1, its description at /docs.

    A SQLite file is made where there is none and always brought up to date. A PostgreSQL database is only with `--upgrade`,
    because other servers may be working on it; without, one that is behind is refused.
    """
    # Loading the web framework takes longer than most other commands.
    from tenantry.api.serve import run

    run(Settings.read(database=database, host=host, port=port), migrate=upgrade or None)
