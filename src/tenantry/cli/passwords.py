"""How a command gets a password: never as a word of the command line, which others could see and the shell remembers."""

import sys
from typing import Annotated

import typer

from tenantry.errors import InvalidInput

__all__ = ["PasswordStdinOption", "read_password"]

PasswordStdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of the standard input.")
]


def read_password(*, from_stdin: bool, is_new: bool = True) -> str:
    """The password, from the standard input or asked for, twice if it is new; `InvalidInput` where nobody can be asked."""
    if from_stdin:
        try:
            return sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise InvalidInput("The password is not valid Unicode.", field="password") from None
    if not sys.stdin.isatty():
        raise InvalidInput(
            "A password can be asked for only at a terminal.", field="password", remedy="Send it with --password-stdin."
        )
    again = "The same again" if is_new else False
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=again, err=True)
    return password
