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
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_OPTIONS = {"host", "port", "sslmode"}
"""What both PostgreSQL drivers understand after the question mark."""

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
        """The same database through a driver such as `postgresql+asyncpg`, which has its own name for `sslmode`."""
        url = self.url.set(drivername=drivername)
        if drivername == "postgresql+asyncpg" and "sslmode" in url.query:
            return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
        return url


def parse_url(text: str) -> DatabaseURL:
    """Check a database URL.

    Raises `InvalidDatabaseURL` for another scheme, a missing file or database name, an option that one of the drivers would
    not understand, or a database in memory, which several connections could not share.
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
        _check_options(url)
        return DatabaseURL(url, "postgresql")
    raise InvalidDatabaseURL(f"The scheme {url.drivername!r} is not known.", field="database", remedy=_REMEDY)


def _check_options(url: sa.URL) -> None:
    unknown = sorted(set(url.query) - _OPTIONS)
    if unknown:
        raise InvalidDatabaseURL(
            f"The option {unknown[0]!r} is not understood.",
            field="database",
            remedy=f"Options of a PostgreSQL URL are {', '.join(sorted(_OPTIONS))}.",
        )
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        raise InvalidDatabaseURL(
            "The option 'sslmode' has no such value.", field="database", remedy=f"Use one of {', '.join(sorted(_SSL_MODES))}."
        )
