"""The tenancy rules of the outbox that the database itself keeps: it is Tenantry's own.

A tenant neither reads nor writes events in whatever SQL; who may hear of what is decided at delivery.
"""

import sqlalchemy as sa

from tenantry.alembic.rules_0002 import guarded, sqlite_trigger
from tenantry.database import SERVICE_ROLE

__all__ = ["create_rules"]


def create_rules(connection: sa.Connection) -> None:
    """Create the triggers, and on PostgreSQL the policy and grants."""
    for statement in _sqlite() if connection.dialect.name == "sqlite" else _postgresql():
        connection.exec_driver_sql(statement)


def _sqlite() -> list[str]:
    changes = ("INSERT", "UPDATE", "DELETE")
    return [sqlite_trigger("events", f"kept_{change.lower()}", change, "true") for change in changes]


def _postgresql() -> list[str]:
    return [*guarded("events"), f"GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {SERVICE_ROLE}"]
