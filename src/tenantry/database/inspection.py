"""What a database says of itself: the login's rights, the pragmas, the text search, broken links. Nothing is changed here."""

from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database.identity import SERVICE_ROLE, TENANT_ROLE
from tenantry.database.tables import users
from tenantry.errors import DatabaseUnavailable, UnsafeDatabaseRole

__all__ = [
    "OLDEST_POSTGRESQL",
    "Login",
    "active_administrators",
    "broken_links",
    "check_login",
    "foreign_tables",
    "has_text_search",
    "is_writable",
    "journal_mode",
    "login_of",
]

OLDEST_POSTGRESQL = 16
"""Since this release a membership says by itself whether the role's rights are inherited."""


@dataclass(frozen=True, slots=True)
class Login:
    """The role that a PostgreSQL URL logs in as."""

    name: str
    is_superuser: bool
    bypasses_policies: bool
    inherits_service: bool
    """Whether it has the rights of the service role without taking it, so that it sees all rows outside a unit of work."""

    @property
    def defect(self) -> str | None:
        """What makes it unsafe."""
        if self.is_superuser:
            return "is a superuser, for whom row-level security does not hold"
        if self.bypasses_policies:
            return "has BYPASSRLS, so that row-level security does not hold for it"
        if self.inherits_service:
            return f"inherits {SERVICE_ROLE}, so that it sees every user's rows"
        return None

    @property
    def remedy(self) -> str:
        """What to do about the defect."""
        if self.is_superuser or self.bypasses_policies:
            return (
                "Log in as a plain role that owns the database: "
                "CREATE ROLE tenantry LOGIN PASSWORD '...'; ALTER DATABASE ... OWNER TO tenantry;"
            )
        return f'As an administrator run: GRANT {TENANT_ROLE}, {SERVICE_ROLE} TO "{self.name}" WITH INHERIT FALSE, SET TRUE;'


def check_login(connection: sa.Connection, *, mending: bool = False) -> None:
    """Refuse a PostgreSQL login that row-level security does not bind, and a server that is too old.

    `mending`: inherited rights are let pass, because the caller is about to take them away.
    Raises `UnsafeDatabaseRole` and `DatabaseUnavailable`.
    """
    if connection.dialect.name != "postgresql":
        return
    release = connection.execute(sa.text("SELECT current_setting('server_version_num')::int / 10000")).scalar_one()
    if release < OLDEST_POSTGRESQL:
        raise DatabaseUnavailable(
            f"The server is PostgreSQL {release}.", remedy=f"Use PostgreSQL {OLDEST_POSTGRESQL} or a newer one."
        )
    login = login_of(connection)
    if login.defect and not (mending and not login.is_superuser and not login.bypasses_policies):
        raise UnsafeDatabaseRole(f"The login {login.name} {login.defect}.", field="database", remedy=login.remedy)


def login_of(connection: sa.Connection) -> Login:
    """The rights of the PostgreSQL login."""
    found = connection.execute(
        sa.text(
            "SELECT rolname, rolsuper, rolbypassrls, coalesce((SELECT pg_has_role(session_user, s.oid, 'USAGE')"
            " FROM pg_roles s WHERE s.rolname = :service), false) FROM pg_roles WHERE rolname = session_user"
        ),
        {"service": SERVICE_ROLE},
    ).one()
    return Login(found[0], found[1], found[2], found[3])


def foreign_tables(connection: sa.Connection) -> list[str]:
    """Tables of a SQLite file that carries no revision of ours: another program's."""
    found = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND name <> 'alembic_version' ORDER BY name"
    )
    return [row[0] for row in found]


def is_writable(connection: sa.Connection) -> bool:
    """Whether PostgreSQL would let this login write; it does not on a standby, or where transactions are read-only."""
    return bool(connection.execute(sa.text("SELECT current_setting('transaction_read_only') = 'off'")).scalar_one())


def journal_mode(connection: sa.Connection) -> str:
    """How a SQLite file keeps its journal."""
    return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())


def has_text_search(connection: sa.Connection) -> bool:
    """Whether search has its index: FTS5 with trigrams on SQLite, pg_trgm on PostgreSQL."""
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'media_text'"
    else:
        query = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
    return bool(connection.execute(sa.text(query)).scalar_one())


def broken_links(connection: sa.Connection) -> list[str]:
    """Tables with rows that point at nothing; PostgreSQL keeps its foreign keys itself unless one is not validated."""
    if connection.dialect.name == "sqlite":
        return sorted({row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    query = (
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
        " AND connamespace = current_schema()::regnamespace ORDER BY 1"
    )
    return [row[0] for row in connection.execute(sa.text(query))]


def active_administrators(connection: sa.Connection) -> int:
    """How many people may administer and log in; on PostgreSQL inside a transaction that took the service role."""
    query = sa.select(sa.func.count()).where(users.c.kind == "person", users.c.is_admin, users.c.is_active)
    return int(connection.execute(query).scalar_one())
