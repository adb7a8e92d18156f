"""The two PostgreSQL roles that transactions take."""

import sqlalchemy as sa

from tenantry.database import SERVICE_ROLE, TENANT_ROLE
from tenantry.errors import MigrationFailed

__all__ = ["ensure_roles", "roles_sql"]


def roles_sql(login: str) -> str:
    """What a database administrator runs once where the login may not create roles itself.

    INHERIT FALSE is what keeps the login blind outside a unit of work: it may take the roles, but has none of their rights.
    """
    return (
        f"CREATE ROLE {TENANT_ROLE} NOLOGIN; CREATE ROLE {SERVICE_ROLE} NOLOGIN; "
        f'GRANT {TENANT_ROLE}, {SERVICE_ROLE} TO "{login}" WITH INHERIT FALSE, SET TRUE;'
    )


def ensure_roles(connection: sa.Connection) -> None:
    """Create both roles and let the login take them.

    Raises `MigrationFailed` with the statements to run where the login lacks the right.
    """
    login = connection.execute(sa.text("SELECT session_user")).scalar_one()
    try:
        for role in (TENANT_ROLE, SERVICE_ROLE):
            _ensure_role(connection, role, login)
    except sa.exc.ProgrammingError as error:
        raise MigrationFailed(
            "The login may not create the roles that keep users apart.",
            remedy=f"As an administrator of the PostgreSQL server, run once: {roles_sql(login)}",
        ) from error


def _ensure_role(connection: sa.Connection, role: str, login: str) -> None:
    exists = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    if not exists:
        connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
    takes = connection.execute(
        sa.text(
            "SELECT bool_or(m.set_option) AND NOT bool_or(m.inherit_option) FROM pg_auth_members m"
            " WHERE m.roleid = CAST(:role AS regrole) AND m.member = CAST(:login AS regrole)"
        ),
        {"role": role, "login": f'"{login}"'},
    ).scalar()
    if not takes:
        connection.exec_driver_sql(f'GRANT {role} TO "{login}" WITH INHERIT FALSE, SET TRUE')
