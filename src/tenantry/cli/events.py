"""`tenantry events`: what happens to a user, as it happens."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from tenantry.cli.event_lines import json_line, line
from tenantry.cli.logging_in import log_in
from tenantry.cli.passwords import PasswordStdinOption, read_password
from tenantry.cli.showing import output
from tenantry.errors import AuthenticationFailed
from tenantry.events import EventStream, stream
from tenantry.events.address import server_address
from tenantry.settings import Settings

__all__ = ["events"]


def events(
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The server.",
            show_default="TENANTRY_HOST and TENANTRY_PORT, else http://127.0.0.1:9100",
        ),
    ] = None,
    email: Annotated[
        str | None,
        typer.Option("--email", metavar="EMAIL", help="Log in as this user.", show_default="the user of TENANTRY_TOKEN"),
    ] = None,
    password_stdin: PasswordStdinOption = False,
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", metavar="ID", help="Also what others do in this queue, without what is theirs; once for each."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="EVENT_ID", help="First what happened after this event.", show_default="now"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of each event, as one JSON object a line.")] = False,
    _follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C, which it does in any case.", show_default=False)
    ] = True,
) -> None:
    """Print a user's events as they happen, one a line, until Ctrl-C.

    Connects again by itself when the server goes away, and misses nothing that the server keeps. `refetch` says that
    something was missed for good. Each event's `event_id`, which `--json` shows, can be given as `--since` later.
    """
    # Loading the web framework takes longer than most other commands.
    from tenantry.api.serve import configure_logging

    settings = Settings.read()
    configure_logging(settings)
    server = url or _own_server(settings)
    token = settings.token
    if email is not None:
        address = server_address(server)
        token = log_in(address, email, read_password(from_stdin=password_stdin, is_new=False))
    following = stream(server, token, queue_ids=queue or (), last_event_id=since)
    with suppress(KeyboardInterrupt):
        asyncio.run(_print(following, as_json=as_json))


async def _print(following: EventStream, *, as_json: bool) -> None:
    try:
        async with following:
            async for event in following:
                if as_json:
                    print(json_line(event), flush=True)
                else:
                    output.print(line(event), markup=False, emoji=False)
    except AuthenticationFailed as error:
        raise AuthenticationFailed(
            error.message, remedy="Log in with --email EMAIL, or put a token into TENANTRY_TOKEN."
        ) from None


def _own_server(settings: Settings) -> str:
    """The server that these settings would start, seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
