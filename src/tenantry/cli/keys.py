"""`tenantry user key`: API keys."""

from datetime import timedelta
from typing import Annotated

import typer

from tenantry.accounts import NewApiKey
from tenantry.cli.options import OPERATOR, DatabaseOption, existing_database, in_studio
from tenantry.cli.showing import output, print_table
from tenantry.repositories import ApiKey
from tenantry.settings import Settings
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal, Scope

__all__ = ["group"]

group = typer.Typer(
    no_args_is_help=True,
    help="Make, list and revoke the API keys by which users' programs prove themselves.",
    epilog="Example: `tenantry user key list ana@example.com`",
)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]


@group.command(epilog="Example: `tenantry user key add ana@example.com nightly --scope read --scope queue --days 30`")
def add(
    email: EmailArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scope: Annotated[list[Scope], typer.Option("--scope", help="What the key may be used for; may be given several times.")],
    days: Annotated[float, typer.Option("--days", min=0.001, max=3_650, help="How long it is good.")] = 90.0,
    database: DatabaseOption = None,
) -> None:
    """Make a key, and print it this once: the first line is the key and nothing else."""
    existing_database(database)

    async def make(studio: Studio, _: Settings) -> NewApiKey:
        async with studio.read(_administering()) as work:
            user = await work.users.get_by_email(email)
        return await studio.accounts.create_key(user.user_id, name, scope, timedelta(days=days), by=OPERATOR)

    made = in_studio(database, make)
    output.print(made.secret, markup=False)
    output.print(f"Good until {_minute(made.key.expires_at)}. It is not shown again.", markup=False)


@group.command("list", epilog="Example: `tenantry user key list ana@example.com`")
def list_(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="Only this user's.")] = None,
    database: DatabaseOption = None,
) -> None:
    """List keys, newest first; of each only how it begins."""

    async def read(studio: Studio, _: Settings) -> list[tuple[ApiKey, str]]:
        async with studio.read(_administering()) as work:
            user_id = None if email is None else (await work.users.get_by_email(email)).user_id
            part = await work.api_keys.slice(user_id=user_id)
            keys = part.items
            while part.next_cursor is not None:
                part = await work.api_keys.slice(user_id=user_id, cursor=part.next_cursor)
                keys += part.items
            owners = await work.users.get_many([key.user_id for key in keys])
            return [(key, owners[key.user_id].email or "") for key in keys]

    titles = ("user", "name", "begins with", "scopes", "expires", "last used", "id")
    print_table(titles, [_row(key, owner) for key, owner in in_studio(database, read)])


@group.command(epilog="Example: `tenantry user key revoke 0d9c6f0e-6b7a-4b0e-9d4c-2f8f6f1c5a11`")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `tenantry user key list` shows it.")],
    database: DatabaseOption = None,
) -> None:
    """End a key at once, and what is connected by it."""

    async def end(studio: Studio, _: Settings) -> ApiKey:
        async with studio.begin(_administering()) as work:
            return await work.api_keys.delete(key_id)

    ended = in_studio(database, end)
    output.print(f"Revoked {ended.name}, {ended.prefix}...", markup=False)


def _row(key: ApiKey, owner: str) -> tuple[str, ...]:
    scopes = " ".join(sorted(key.scopes))
    return owner, key.name, key.prefix, scopes, _minute(key.expires_at), _minute(key.last_used_at), key.key_id


def _minute(time: str | None) -> str:
    return "never" if time is None else time[:16]


def _administering() -> Principal:
    return Principal.internal(InternalReason.ADMINISTER_ACCOUNTS, asked_by=OPERATOR)
