"""The command line as a whole."""

from importlib.metadata import version
from typing import Annotated

import typer

from tenantry.cli import demo, doctor, events, legacy, schema, serving, transfer, users, worker

__all__ = ["TRACEBACK", "application"]

TRACEBACK = "--traceback"
"""Looked for where errors end."""

application = typer.Typer(
    name="tenantry",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Start with `tenantry demo`, or with `tenantry serve` for a studio of your own.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"tenantry {version('tenantry')}")
        raise typer.Exit()


@application.callback()
def tenantry(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    show_traceback: Annotated[
        bool, typer.Option(TRACEBACK, help="Show where an unexpected error came from, to report it.")
    ] = False,
) -> None:
    """A studio for many users: boards, images, workflows and accounts, each user's kept apart by the database itself.

    Everything is kept in ./tenantry.db unless --database or the variable TENANTRY_DATABASE names another SQLite file
    or a PostgreSQL database. Every setting of the server can be given as a variable TENANTRY_NAME.

    Exit status: 0 when done, 1 when a check found something, 2 when refused; then nothing was changed and one line
    says why and what to do.
    """


application.command(epilog="Example: `tenantry serve --port 9200 --database sqlite:///studio.db`")(serving.serve)
application.command(epilog="Example: `tenantry worker mymodule:render --device cuda:0`")(worker.worker)
application.command(epilog="Example: `tenantry events --email me@example.com --queue default`")(events.events)
application.command(epilog="Example: `tenantry demo --database sqlite:///demo.db`")(demo.demo)
application.add_typer(schema.group, name="db")
application.add_typer(users.group, name="user")
application.command(
    "import", epilog="Example: `tenantry import ~/invokeai/databases/invokeai.db --assign-legacy me@example.com`"
)(transfer.import_)
application.command(epilog="Example: `tenantry export invokeai.db`")(transfer.export)
application.add_typer(legacy.group, name="legacy")
application.command(epilog="Example: `tenantry doctor --database postgresql://tenantry:secret@localhost/studio`")(doctor.doctor)
