"""`tenantry user`: accounts."""

from typing import Annotated

import typer

from tenantry.accounts import NewLink
from tenantry.accounts.accounts import DataFate
from tenantry.cli import keys
from tenantry.cli.audit import audit
from tenantry.cli.options import OPERATOR, DatabaseOption, existing_database, in_studio
from tenantry.cli.passwords import PasswordStdinOption, read_password
from tenantry.cli.showing import output, print_table, safe
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.ownership import RowsMoved, RowsRemoved
from tenantry.repositories.users import User
from tenantry.settings import Settings
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["group"]

group = typer.Typer(
    no_args_is_help=True,
    help="Add, change, delete and list the users of a studio.",
    epilog="Example: `tenantry user add root@example.com --admin`",
)

group.add_typer(keys.group, name="key")
group.command(epilog="Example: `tenantry user audit --of ana@example.com --action login_failed`")(audit)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]


@group.command(epilog="Example: `tenantry user add ana@example.com --name Ana --password-stdin < password.txt`")
def add(
    email: EmailArgument,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The name to show.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Make the user an administrator, who sees everything.")] = False,
    password_stdin: PasswordStdinOption = False,
    database: DatabaseOption = None,
) -> None:
    """Add a user, asking for the password."""
    existing_database(database)
    password = read_password(from_stdin=password_stdin)

    async def register(studio: Studio, _: Settings) -> User:
        return await studio.accounts.register(email, password, display_name=name, is_admin=admin, by=OPERATOR)

    user = in_studio(database, register)
    output.print(f"Added {user.email}{_described(user)}.", markup=False)


@group.command(epilog="Example: `tenantry user invite bo@example.com`")
def invite(
    email: EmailArgument,
    admin: Annotated[bool, typer.Option("--admin", help="Invite an administrator, who sees everything.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Invite somebody to make an account for themselves, once and within a week: the first line is the secret for that."""

    async def make(studio: Studio, _: Settings) -> NewLink:
        return await studio.accounts.invite(email, is_admin=admin, by=OPERATOR)

    _print_link(in_studio(database, make))


@group.command(epilog="Example: `tenantry user reset ana@example.com`")
def reset(email: EmailArgument, database: DatabaseOption = None) -> None:
    """Let a user choose a new password, once and within a day: the first line is the secret for that."""

    async def make(studio: Studio, _: Settings) -> NewLink:
        return await studio.accounts.offer_reset(await _id_of(studio, email, "email"), by=OPERATOR)

    _print_link(in_studio(database, make))


@group.command(epilog="Example: `tenantry user modify ana@example.com --deactivate`")
def modify(
    email: EmailArgument,
    new_email: Annotated[str | None, typer.Option("--email", metavar="EMAIL", help="A new address.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="A new name to show.")] = None,
    admin: Annotated[
        bool | None,
        typer.Option("--admin/--no-admin", help="Make the user an administrator, or no longer.", show_default=False),
    ] = None,
    active: Annotated[
        bool | None,
        typer.Option("--activate/--deactivate", help="Let the user log in, or keep them out at once.", show_default=False),
    ] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: PasswordStdinOption = False,
    database: DatabaseOption = None,
) -> None:
    """Change what is given of a user, all of it or nothing.

    A new password or `--deactivate` ends all of their logins and deletes their API keys.
    """
    existing_database(database)
    wants_password = password or password_stdin
    if not wants_password and (new_email, name, admin, active) == (None, None, None, None):
        raise InvalidInput("There is nothing to change.", remedy="See: tenantry user modify --help")
    new_password = read_password(from_stdin=password_stdin) if wants_password else None

    async def change(studio: Studio, _: Settings) -> User:
        return await studio.accounts.modify(
            await _id_of(studio, email, "email"),
            email=new_email,
            display_name=name,
            is_admin=admin,
            is_active=active,
            password=new_password,
            by=OPERATOR,
        )

    user = in_studio(database, change)
    output.print(f"Changed {user.email}{_described(user)}.", markup=False)


@group.command(epilog="Example: `tenantry user delete bo@example.com --data transfer --to ana@example.com`")
def delete(
    email: EmailArgument,
    data: Annotated[
        DataFate,
        typer.Option(
            "--data", help="What becomes of what they made: delete it, transfer it to another user, or keep it under `system`."
        ),
    ],
    to: Annotated[str | None, typer.Option("--to", metavar="EMAIL", help="Who gets it, with `--data transfer`.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Delete a user, and decide about their boards, images, workflows and everything else."""
    existing_database(database)
    if not yes:
        typer.confirm(f"Delete {email} and {data} what they made?", abort=True)

    async def end(studio: Studio, settings: Settings) -> RowsMoved | RowsRemoved:
        user_id = await _id_of(studio, email, "email")
        receiver = None if to is None else await _id_of(studio, to, "to")
        outcome = await studio.accounts.delete(user_id, data, receiver, by=OPERATOR)
        if isinstance(outcome, RowsRemoved):
            _delete_files(outcome, settings)
        return outcome

    outcome = in_studio(database, end)
    fate = {DataFate.DELETE: "deleted", DataFate.TRANSFER: f"given to {to}", DataFate.KEEP: "kept under system"}[data]
    output.print(f"Deleted {email}; {outcome.total} rows were {fate}.", markup=False)
    if outcome.rows:
        print_table(("table", "rows"), list(outcome.rows.items()))


@group.command(epilog="Example: `tenantry user unblock ana@example.com`")
def unblock(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="The account.")] = None,
    network_address: Annotated[
        str | None, typer.Option("--address", metavar="IP", help="The network address from which they come.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Let somebody log in without waiting whose logins failed too often."""
    if email is None and network_address is None:
        raise InvalidInput("This names nobody.", remedy="Give an e-mail address, or a network address with --address.")

    async def lift(studio: Studio, _: Settings) -> bool:
        return await studio.accounts.lift_wait(email=email, address=network_address, by=OPERATOR)

    lifted = in_studio(database, lift)
    output.print("The next login need not wait." if lifted else "No login has failed there.", markup=False)


@group.command("list", epilog="Example: `tenantry user list --search example.com`")
def list_(
    search: Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Only whose address or name has this.")] = None,
    database: DatabaseOption = None,
) -> None:
    """List the users, newest first."""

    async def read(studio: Studio, _: Settings) -> list[User]:
        async with studio.read(_administering()) as work:
            users: list[User] = []
            part = await work.users.slice(limit=100, search=search)
            users += part.items
            while part.next_cursor is not None:
                part = await work.users.slice(cursor=part.next_cursor, limit=100, search=search)
                users += part.items
            return users

    print_table(("e-mail", "name", "rights", "last login", "id"), [_row(user) for user in in_studio(database, read)])


def _print_link(made: NewLink) -> None:
    output.print(made.secret, markup=False)
    output.print(f"Good until {made.link.expires_at[:16]} UTC, for one use. It is not shown again.", markup=False)


def _row(user: User) -> tuple[str, ...]:
    rights = ("administrator" if user.is_admin else "user") if user.is_active else "deactivated"
    last_login = (user.last_login_at or "never")[:16].replace("T", " ")
    return user.email or "", user.display_name or "", rights, last_login, user.user_id


def _delete_files(removed: RowsRemoved, settings: Settings) -> None:
    # Loading the web framework takes longer than most commands.
    from tenantry.api.files import MediaFiles

    files = MediaFiles(settings.outputs_folder)
    for file in removed.files:
        try:
            files.delete(file)
        except OSError as error:
            output.print(f"{safe(file.name)} stays in {settings.outputs_folder}: {error.strerror}.", markup=False)


async def _id_of(studio: Studio, email: str, field: str) -> str:
    """Raises `NotFound`, naming the part of the command line."""
    async with studio.read(_administering()) as work:
        try:
            return (await work.users.get_by_email(email)).user_id
        except NotFound:
            raise NotFound("user", field=field) from None


def _described(user: User) -> str:
    described = ", administrator" if user.is_admin else ""
    return described if user.is_active else f"{described}, deactivated"


def _administering() -> Principal:
    return Principal.internal(InternalReason.ADMINISTER_ACCOUNTS, asked_by=OPERATOR)
