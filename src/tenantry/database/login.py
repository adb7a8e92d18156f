"""The role that a PostgreSQL URL logs in as, and what it may not be allowed."""

from dataclasses import dataclass

import sqlalchemy as sa

from tenantry.database.identity import SERVICE_ROLE, TENANT_ROLE
from tenantry.errors import DatabaseUnavailable, UnsafeDatabaseRole

__all__ = ["OLDEST_POSTGRESQL", "Login", "check_login", "login_of", "roles_not_taken"]

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


def roles_not_taken(connection: sa.Connection) -> list[str]:
    """Which of the two roles the PostgreSQL login may not take, or do not exist."""
    query = sa.text(
        "SELECT count(*) FROM pg_roles WHERE rolname = :role"
        " AND (pg_has_role(session_user, oid, 'SET') OR session_user = rolname)"
    )
    return [role for role in (TENANT_ROLE, SERVICE_ROLE) if not connection.execute(query, {"role": role}).scalar_one()]
