"""What `tenantry doctor` looks at."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tenantry.alembic.migrate import connected, drift_of, revisions_of
from tenantry.database import DatabaseURL, inspection, run
from tenantry.database.login import login_of, roles_not_taken
from tenantry.database.statements import DirectConnection
from tenantry.errors import TenantryError
from tenantry.repositories.queue_counts import disagreements
from tenantry.settings import Settings

__all__ = ["Finding", "examine"]

_SYNCHRONOUS = {"NORMAL": 1, "FULL": 2}
_RESTORE = "Restore a backup."
_MAKE_INDEX = (
    "As an administrator of the database run: CREATE EXTENSION pg_trgm;"
    " CREATE INDEX media_text_trigrams ON media USING gin (lower(metadata) gin_trgm_ops);"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; there is a remedy for what is not well. With a `minor` defect everything still works."""

    check: str
    found: str
    remedy: str | None = None
    minor: bool = False

    @property
    def is_well(self) -> bool:
        return self.remedy is None


def examine(url: DatabaseURL, settings: Settings) -> Iterator[Finding]:
    """Every check of a database, in an order in which a later one makes sense only if the earlier ones were well."""
    try:
        with connected(url) as connection:
            yield _reachable(connection, url)
            if url.dialect == "postgresql":
                yield from _login(connection)
            else:
                yield _private(url.path)
            schema = _schema(connection)
            yield schema
            if schema.is_well:
                yield from _contents(connection, settings)
        if url.dialect == "sqlite":
            yield _pragmas(url, settings)
    except TenantryError as error:
        yield Finding("database", error.message.rstrip("."), error.remedy or "Look into the database's own log.")


def _reachable(connection: sa.Connection, url: DatabaseURL) -> Finding:
    # Both raise DatabaseReadOnly; the transaction also makes all that follows see one moment.
    inspection.check_writable(connection)
    if url.dialect == "sqlite":
        inspection.begin_writing(connection)
    return Finding("database", f"{url.shown} can be read and written")


def _login(connection: sa.Connection) -> Iterator[Finding]:
    login = login_of(connection)
    if login.defect:
        yield Finding("login", f"{login.name} {login.defect}", login.remedy)
    else:
        yield Finding("login", f"{login.name} is bound by row-level security and inherits no rights")
    missing = roles_not_taken(connection)
    if missing:
        yield Finding("roles", f"{login.name} may not take {' and '.join(missing)}", "Run: tenantry db upgrade")
    else:
        yield Finding("roles", f"{login.name} may take the roles that transactions need")


def _private(path: Path) -> Finding:
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    open_to_others = [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_to_others:
        names = " ".join(str(file) for file in open_to_others)
        return Finding(
            "secret", f"others may read or write {names}, with the secret that signs tokens", f"Run: chmod 600 {names}"
        )
    return Finding("secret", "only its owner may read the file that holds the secret that signs tokens")


def _schema(connection: sa.Connection) -> Finding:
    found = revisions_of(connection)
    if found.up_to_date:
        return Finding("schema", f"at revision {found.current}, the newest")
    if not found.known:
        return Finding(
            "schema", f"at revision {found.current}, which is not known", "Install the release of Tenantry that wrote it."
        )
    return Finding("schema", f"at revision {found.current or 'base'}, behind {found.head}", "Run: tenantry db upgrade")


def _contents(connection: sa.Connection, settings: Settings) -> Iterator[Finding]:
    differences = drift_of(connection)
    yield _judge(
        "tables",
        not differences,
        "exactly those of this program",
        f"not those of this program: {len(differences)} differ, first {differences[0] if differences else ''}",
        "Undo changes that were made by hand.",
    )
    if connection.dialect.name == "postgresql":
        bare = inspection.tables_without_policies(connection)
        yield _judge(
            "policies",
            not bare,
            "row-level security is forced on every table",
            f"row-level security is not forced on {', '.join(bare)}",
            "Run: " + " ".join(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;" for name in bare),
        )
    yield from _rows(connection, settings)


def _rows(connection: sa.Connection, settings: Settings) -> Iterator[Finding]:
    broken = inspection.broken_links(connection)
    yield _judge(
        "links", not broken, "every row points at one that exists", f"rows of {', '.join(broken)} point at nothing", _RESTORE
    )
    is_sqlite = connection.dialect.name == "sqlite"
    yield _search(connection, is_sqlite)
    if not is_sqlite:
        inspection.take_service_role(connection)
    wrong = run(disagreements(DirectConnection(connection, "sqlite" if is_sqlite else "postgresql", lambda _: None)))
    yield _judge(
        "queue",
        not wrong,
        "its counts are what its items say",
        f"{len(wrong)} of its counts are not what its items say",
        "Run: tenantry doctor --repair",
    )
    administrators = inspection.active_administrators(connection)
    yield _judge(
        "administrator",
        administrators > 0 or not settings.multiuser,
        f"{administrators} can log in" if settings.multiuser else "not needed, since nobody logs in",
        "nobody who can log in is one",
        "Run: tenantry user add EMAIL --admin",
    )


def _search(connection: sa.Connection, is_sqlite: bool) -> Finding:
    if inspection.has_text_search(connection):
        return Finding("search", "has its index")
    if is_sqlite:
        return Finding("search", "has no index", _RESTORE)
    return Finding("search", "works without an index, slower", _MAKE_INDEX, minor=True)


def _pragmas(url: DatabaseURL, settings: Settings) -> Finding:
    found = inspection.pragmas(url, settings.sqlite_synchronous)
    wanted: dict[str, object] = {
        "journal_mode": "wal",
        "synchronous": _SYNCHRONOUS[settings.sqlite_synchronous],
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
    wrong = [f"{name} is {found[name]}" for name, value in wanted.items() if found[name] != value]
    return _judge(
        "pragmas",
        not wrong,
        ", ".join(f"{name} {value}" for name, value in found.items()),
        ", ".join(wrong),
        "Put the file on a local disk, and use an SQLite library of 3.37 or newer.",
    )


def _judge(check: str, is_well: bool, well: str, ill: str, remedy: str) -> Finding:
    return Finding(check, well) if is_well else Finding(check, ill, remedy)
