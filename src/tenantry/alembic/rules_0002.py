"""The tenancy rules of the queue's schema that the database itself keeps, beside those of the first schema.

Batches and items are their owners'. Counts, turns, limits and usage decide whose item comes next: a tenant may read their own
and what concerns everybody, and changes none, in whatever SQL.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from tenantry.database import SERVICE_ROLE, TENANT_ROLE
from tenantry.database.failures import CROSS_TENANT

__all__ = ["create_rules", "guarded", "restore_rules", "sqlite_trigger"]

_OWNED = ("batches", "queue_items")
_OWN_READ = ("queue_counts", "queue_turns", "queue_limits", "queue_usage")
_SHARED_READ = ("queues", "queue_defaults")
_SERVICE_ONLY = ("workers",)

_MINE = "user_id = (SELECT tenantry_user())"


def create_rules(connection: sa.Connection) -> None:
    """Create the triggers, and on PostgreSQL the policies and grants."""
    make = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in make:
        connection.exec_driver_sql(statement)


def restore_rules(connection: sa.Connection) -> None:
    """Create anew what the first schema keeps of `queue_items`, once its table is there again."""
    if connection.dialect.name == "sqlite":
        make = _owner_triggers("queue_items")
    else:
        make = iter((*_own_and_read("queue_items"), _owner_guard("queue_items")))
    for statement in make:
        connection.exec_driver_sql(statement)


def _sqlite() -> Iterator[str]:
    for table in _OWNED:
        yield from _owner_triggers(table)
    for table in (*_OWN_READ, *_SHARED_READ, *_SERVICE_ONLY):
        for event in ("INSERT", "UPDATE", "DELETE"):
            yield sqlite_trigger(table, f"kept_{event.lower()}", event, "true")


def _owner_triggers(table: str) -> Iterator[str]:
    yield sqlite_trigger(table, "owner_insert", "INSERT", "NOT coalesce(NEW.user_id = tenantry_user(), 0)")
    yield sqlite_trigger(table, "owner_update", "UPDATE OF user_id", "NEW.user_id <> OLD.user_id")


def sqlite_trigger(table: str, name: str, event: str, refused: str) -> str:
    """Refuses an event to a tenant on a condition."""
    return (
        f"CREATE TRIGGER tr_{table}_{name} BEFORE {event} ON {table} FOR EACH ROW"
        f" WHEN NOT tenantry_privileged() AND ({refused})"
        f" BEGIN SELECT RAISE(ABORT, '{CROSS_TENANT}'); END"
    )


def _postgresql() -> Iterator[str]:
    for table in _OWNED:
        yield from _own_and_read(table)
    # Items have no such guard: they follow their batch by the foreign key, whose cascade acts as the tables' owner, and the
    # policy lets a tenant's row be nobody else's.
    yield _owner_guard("batches")
    for table in (*_OWN_READ, *_SHARED_READ, *_SERVICE_ONLY):
        yield from guarded(table)
    for table in (*_OWN_READ, *_SHARED_READ):
        yield f"GRANT SELECT ON {table} TO {TENANT_ROLE}"
        yield _policy(table, "read", "SELECT", using=_MINE if table in _OWN_READ else "true")
    yield f"GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {SERVICE_ROLE}"


def _own_and_read(table: str) -> Iterator[str]:
    yield from guarded(table)
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {TENANT_ROLE}"
    yield _policy(table, "read", "SELECT", using=_MINE)
    yield _policy(table, "add", "INSERT", check=_MINE)
    yield _policy(table, "change", "UPDATE", using=_MINE, check=_MINE)
    yield _policy(table, "remove", "DELETE", using=_MINE)


def guarded(table: str) -> Iterator[str]:
    """What keeps everybody but Tenantry itself and administrators from a table."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SERVICE_ROLE}"
    yield f"CREATE POLICY service ON {table} TO {SERVICE_ROLE} USING (true) WITH CHECK (true)"


def _owner_guard(table: str) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_owner BEFORE UPDATE OF user_id ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION tenantry_guard_owner()"
    )


def _policy(table: str, name: str, command: str, *, using: str | None = None, check: str | None = None) -> str:
    clauses = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return f"CREATE POLICY {name} ON {table} FOR {command} TO {TENANT_ROLE}{clauses}"
