"""Database URLs: which are understood, and what they mean."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tenantry.errors import InvalidDatabaseURL

__all__ = ["DatabaseURL", "Dialect", "parse_url"]

Dialect = Literal["sqlite", "postgresql"]

_SQLITE = {"sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"}
_POSTGRESQL = {"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"}
_REMEDY = "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."


@dataclass(frozen=True, slots=True)
class DatabaseURL:
    """A checked URL; `shown` hides the password."""

    url: sa.URL
    dialect: Dialect

    @property
    def path(self) -> Path:
        """The file of a SQLite URL."""
        assert self.url.database
        return Path(self.url.database)

    @property
    def shown(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def driven_by(self, drivername: str) -> sa.URL:
        """The same database through a driver such as `postgresql+asyncpg`."""
        return self.url.set(drivername=drivername)


def parse_url(text: str) -> DatabaseURL:
    """Check a database URL.

    Raises `InvalidDatabaseURL` for another scheme, a missing file or database name, or a database in memory, which
    several connections could not share.
    """
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidDatabaseURL("This is not a database URL.", field="database", remedy=_REMEDY) from None
    if url.drivername in _SQLITE:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:") or "mode" in url.query:
            raise InvalidDatabaseURL("A SQLite URL must name a file.", field="database", remedy="Use sqlite:///FILE.")
        return DatabaseURL(url, "sqlite")
    if url.drivername in _POSTGRESQL:
        if not url.database:
            raise InvalidDatabaseURL("A PostgreSQL URL must name a database.", field="database", remedy=_REMEDY)
        return DatabaseURL(url, "postgresql")
    raise InvalidDatabaseURL(f"The scheme {url.drivername!r} is not known.", field="database", remedy=_REMEDY)
