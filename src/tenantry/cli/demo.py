"""`tenantry demo`: the example studio."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

import tenantry
from tenantry.cli.options import DatabaseOption, opened
from tenantry.cli.serving import HostOption, PortOption, serve
from tenantry.cli.showing import output
from tenantry.cli.transfer import bring_in
from tenantry.errors import Conflict, InvalidInput
from tenantry.settings import Settings
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["demo"]

_ADMINISTRATOR = "root@example.com"
_ADMINISTRATOR_ID = "d82db4be-8252-4cad-b145-a4e3c02f831a"
"""By the address alone a studio of its own, whose administrator has it too, would pass for the example."""
_LOGINS = (
    (_ADMINISTRATOR, "Correct-Horse-9", "administrator"),
    ("ana@example.com", "Correct-Horse-9", ""),
    ("bo@example.com", "Another-Horse-8", ""),
    ("cy@example.com", "Correct-Horse-9", "deactivated, cannot log in"),
)


def demo(
    database: DatabaseOption = None,
    host: HostOption = None,
    port: PortOption = None,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it, or only bring it in.")] = True,
) -> None:
    """Bring in the example studio, with four users and their pictures, and serve it.

    The users' passwords are printed, so never bring it into a studio of real users; a database that holds some is refused.
    A database that holds the example already is served as it is.
    """
    settings = Settings.read(database=database)
    with opened(database, made=True) as studio:
        if not _is_there(studio):
            folder = _example()
            bring_in(folder / "studio-demo.db", studio)
            shutil.copytree(folder / "outputs", settings.outputs_folder, dirs_exist_ok=True)
    output.print("The example studio's users:")
    for email, password, note in _LOGINS:
        output.print(f"  {email:18} {password:18} {note}", markup=False)
    if serving:
        serve(database, host, port)


def _is_there(studio: Studio) -> bool:
    """Whether the example was brought in before. Raises `Conflict` where other people are at home."""
    people = studio.direct.reading(Principal.internal(InternalReason.OPERATE), lambda work: work.users.all())
    if people and _ADMINISTRATOR_ID not in {user.user_id for user in people}:
        raise Conflict(
            "This database holds a studio of its own, which the example's well-known passwords would open.",
            field="database",
            remedy="Name another with --database sqlite:///demo.db",
        )
    return bool(people)


def _example() -> Path:
    package = Path(tenantry.__file__).parent
    for place in (package / "examples", package.parent.parent / "examples"):
        if (place / "studio-demo" / "studio-demo.db").is_file():
            return place / "studio-demo"
    raise InvalidInput("The example studio is not installed.", remedy="Run it from a checkout of the repository.")
