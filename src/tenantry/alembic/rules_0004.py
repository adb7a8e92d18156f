"""The tenancy rules of keys, links, failed logins and the audit trail that the database itself keeps.

A tenant reads what is known of their own keys, without the hashes, and changes none in whatever SQL: who could write there
could make a key in a scope that nobody gave them. The rest is Tenantry's own.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from tenantry.alembic.rules_0002 import guarded, sqlite_trigger
from tenantry.database import SERVICE_ROLE, TENANT_ROLE

__all__ = ["create_rules"]

_TABLES = ("api_keys", "account_links", "login_attempts", "audit_entries")
_SHOWN = "key_id, user_id, name, prefix, scopes, expires_at, last_used_at, created_at"


def create_rules(connection: sa.Connection) -> None:
    """Create the triggers, and on PostgreSQL the policies and grants."""
    for statement in _sqlite() if connection.dialect.name == "sqlite" else _postgresql():
        connection.exec_driver_sql(statement)


def _sqlite() -> Iterator[str]:
    for table in _TABLES:
        for change in ("INSERT", "UPDATE", "DELETE"):
            yield sqlite_trigger(table, f"kept_{change.lower()}", change, "true")


def _postgresql() -> Iterator[str]:
    for table in _TABLES:
        yield from guarded(table)
    yield f"GRANT SELECT ({_SHOWN}) ON api_keys TO {TENANT_ROLE}"
    yield f"CREATE POLICY read ON api_keys FOR SELECT TO {TENANT_ROLE} USING (user_id = (SELECT tenantry_user()))"
    yield f"GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {SERVICE_ROLE}"
