"""The command `tenantry`: one file a group of commands."""

from tenantry.cli.outcome import main

__all__ = ["main"]
