"""A file that comes into being whole or not at all, and never in the place of another."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenantry.errors import Conflict, DatabaseUnavailable

__all__ = ["new_file"]

_FIELD = "file"


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A place to write to, readable for its owner alone, that becomes `path` at the end of the block.

    Raises `Conflict` when there is something at `path`, and `DatabaseUnavailable` when nothing can be written beside it.
    """
    if os.path.lexists(path):
        raise _taken(path)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    except OSError as error:
        raise DatabaseUnavailable(
            f"Nothing can be written to {path.parent}.", field=_FIELD, remedy="Name a folder that exists and may be written to."
        ) from error
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        _move(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _move(unfinished: Path, path: Path) -> None:
    try:
        # A link, unlike a rename, never takes another file's place.
        os.link(unfinished, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:
        # Not every file system has links.
        if os.path.lexists(path):
            raise _taken(path) from None
        unfinished.rename(path)


def _taken(path: Path) -> Conflict:
    return Conflict(f"{path} exists already.", field=_FIELD, remedy="Name a file that does not exist yet.")
