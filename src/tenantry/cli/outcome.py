"""How a command ends: its exit status, and one line on the error stream when it could not be done."""

import os
import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import typer

from tenantry.cli.application import TRACEBACK, application
from tenantry.cli.showing import safe
from tenantry.errors import TenantryError

__all__ = ["main"]

REFUSED = 2
"""Exit status when nothing was done because of what was asked for or where."""

INTERRUPTED = 130


@runtime_checkable
class UsageProblem(Protocol):
    """An error in how a command was called; its class has moved between releases of the command-line library."""

    exit_code: int

    def format_message(self) -> str: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit status; no error leaves as a traceback unless it is asked for."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = application(args=words, prog_name="tenantry", standalone_mode=False)
    except TenantryError as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("Stopped.", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter, which flushes it at the end, must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except Exception as error:
        if isinstance(error, UsageProblem):
            return _refuse(error.format_message(), error.exit_code)
        if words[:1] == [TRACEBACK]:
            raise
        return _refuse(f"This should not have happened: {type(error).__name__}: {error}. See: tenantry {TRACEBACK} ...")
    return status if isinstance(status, int) else 0


def _refuse(message: str, status: int = REFUSED) -> int:
    if message.strip():
        print("tenantry: " + safe(" ".join(message.split())), file=sys.stderr)
    return status
