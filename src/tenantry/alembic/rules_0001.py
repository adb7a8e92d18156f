"""The tenancy rules of the first schema that the database itself keeps: triggers on both, row-level security on PostgreSQL.

A trigger asks for the connection's user: `tenantry_user()` and, on SQLite, `tenantry_privileged()`; a connection that is not
Tenantry's has neither and is refused. Only linking and moving across users is judged; taking a row off a board is not.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from tenantry.database import SERVICE_ROLE, TENANT_ROLE
from tenantry.database.failures import CROSS_TENANT

__all__ = ["create_rules", "drop_rules"]

_OWNED = ("boards", "media", "workflows", "style_presets", "system_prompts", "client_state", "queue_items")
_SERVICE_ONLY = ("app_settings", "import_residue", "search_progress", "media_move_jobs", "media_move_items")
_SHARED_READ = ("models", "model_relationships")


def create_rules(connection: sa.Connection) -> None:
    """Create the triggers, and on PostgreSQL the policies and grants."""
    make = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in make:
        connection.exec_driver_sql(statement)


def drop_rules(connection: sa.Connection) -> None:
    """Drop what does not go with the tables."""
    if connection.dialect.name == "sqlite":
        return
    for function in ("tenantry_guard_owner", "tenantry_guard_link", "tenantry_guard_cover", "tenantry_user"):
        connection.exec_driver_sql(f"DROP FUNCTION {function}() CASCADE")


def _writable_board(board_id: str) -> str:
    """SQL: whether the connection's user may put things on this board."""
    return (
        f"EXISTS (SELECT 1 FROM boards b WHERE b.board_id = {board_id} AND (b.user_id = tenantry_user()"
        " OR b.visibility = 'public' OR EXISTS (SELECT 1 FROM board_shares s WHERE s.board_id = b.board_id"
        " AND s.user_id = tenantry_user() AND s.permission IN ('write', 'admin'))))"
    )


def _usable_cover(media_id: str, board_id: str) -> str:
    """SQL: whether the connection's user may make this the cover of that board."""
    return (
        f"EXISTS (SELECT 1 FROM media m WHERE m.media_id = {media_id}"
        f" AND (m.user_id = tenantry_user() OR m.board_id = {board_id}))"
    )


def _sqlite() -> Iterator[str]:
    for table in _OWNED:
        yield _sqlite_trigger(table, "owner_insert", "INSERT", "NOT coalesce(NEW.user_id = tenantry_user(), 0)")
        yield _sqlite_trigger(table, "owner_update", "UPDATE OF user_id", "NEW.user_id <> OLD.user_id")
    owns = "EXISTS (SELECT 1 FROM boards b WHERE b.board_id = NEW.board_id AND b.user_id = tenantry_user())"
    yield _sqlite_trigger("board_shares", "owner_insert", "INSERT", f"NOT {owns} OR NEW.owner_id <> tenantry_user()")
    moved = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in ("board_id", "user_id", "owner_id"))
    yield _sqlite_trigger("board_shares", "owner_update", "UPDATE", f"NOT {owns} OR {moved}")
    refused = f"NOT (coalesce(NEW.user_id = tenantry_user(), 0) AND {_writable_board('NEW.board_id')})"
    yield _sqlite_trigger("media", "link_insert", "INSERT", f"NEW.board_id IS NOT NULL AND {refused}")
    yield _sqlite_trigger(
        "media",
        "link_update",
        "UPDATE OF board_id",
        f"NEW.board_id IS NOT NULL AND NEW.board_id IS NOT OLD.board_id AND {refused}",
    )
    cover = f"NEW.cover_media_id IS NOT NULL AND NOT {_usable_cover('NEW.cover_media_id', 'NEW.board_id')}"
    yield _sqlite_trigger("boards", "cover_insert", "INSERT", cover)
    yield _sqlite_trigger(
        "boards",
        "cover_update",
        "UPDATE OF cover_media_id",
        f"NEW.cover_media_id IS NOT OLD.cover_media_id AND {cover}",
    )


def _sqlite_trigger(table: str, name: str, event: str, refused: str) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_{name} BEFORE {event} ON {table} FOR EACH ROW"
        f" WHEN NOT tenantry_privileged() AND ({refused})"
        f" BEGIN SELECT RAISE(ABORT, '{CROSS_TENANT}'); END"
    )


def _postgresql() -> Iterator[str]:
    yield from _postgresql_functions()
    for table in _OWNED:
        yield (
            f"CREATE TRIGGER tr_{table}_owner BEFORE UPDATE OF user_id ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION tenantry_guard_owner()"
        )
    yield (
        "CREATE TRIGGER tr_media_link BEFORE INSERT OR UPDATE OF board_id ON media"
        " FOR EACH ROW EXECUTE FUNCTION tenantry_guard_link()"
    )
    yield (
        "CREATE TRIGGER tr_boards_cover BEFORE INSERT OR UPDATE OF cover_media_id ON boards"
        " FOR EACH ROW EXECUTE FUNCTION tenantry_guard_cover()"
    )
    for table in (*_OWNED, *_SERVICE_ONLY, *_SHARED_READ, "users", "board_shares"):
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SERVICE_ROLE}"
        yield f"CREATE POLICY service ON {table} TO {SERVICE_ROLE} USING (true) WITH CHECK (true)"
    yield f"GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {SERVICE_ROLE}"
    for table in (*_OWNED, "board_shares"):
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {TENANT_ROLE}"
    for table in _SHARED_READ:
        yield f"GRANT SELECT ON {table} TO {TENANT_ROLE}"
        yield _policy(table, "read", "SELECT", using="true")
    # Everything about oneself but the password's hash.
    yield (
        "GRANT SELECT (user_id, email, display_name, kind, is_admin, is_active, token_epoch, last_login_at, created_at,"
        f" updated_at) ON users TO {TENANT_ROLE}"
    )
    yield from _postgresql_policies()


def _postgresql_functions() -> Iterator[str]:
    yield (
        "CREATE FUNCTION tenantry_user() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE"
        " RETURN nullif(current_setting('tenantry.user_id', true), '')"
    )
    yield _guard("tenantry_guard_owner", "NEW.user_id IS DISTINCT FROM OLD.user_id")
    linked = "NEW.board_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.board_id IS DISTINCT FROM OLD.board_id)"
    may_link = f"coalesce(NEW.user_id = tenantry_user(), false) AND {_writable_board('NEW.board_id')}"
    yield _guard("tenantry_guard_link", f"{linked} AND NOT ({may_link})")
    covered = "NEW.cover_media_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.cover_media_id IS DISTINCT FROM OLD.cover_media_id)"
    yield _guard("tenantry_guard_cover", f"{covered} AND NOT {_usable_cover('NEW.cover_media_id', 'NEW.board_id')}")


def _guard(name: str, refused: str) -> str:
    # Names mean the tables of this schema, whatever temporary table or search path the caller has made.
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$ BEGIN"
        f" IF current_user <> '{SERVICE_ROLE}' THEN IF {refused} THEN RAISE EXCEPTION '{CROSS_TENANT}'"
        " USING ERRCODE = 'insufficient_privilege'; END IF; END IF; RETURN NEW; END $$"
    )


def _postgresql_policies() -> Iterator[str]:
    # A sub-select is evaluated once a statement; the bare call would be once a row.
    me = "(SELECT tenantry_user())"
    mine = f"user_id = {me}"
    yield _policy("users", "own", "SELECT", using=mine)

    shared = f"EXISTS (SELECT 1 FROM board_shares s WHERE s.board_id = boards.board_id AND s.user_id = {me}"
    yield _policy("boards", "read", "SELECT", using=f"{mine} OR visibility <> 'private' OR {shared})")
    yield _policy("boards", "add", "INSERT", check=mine)
    managed = f"{mine} OR {shared} AND s.permission = 'admin')"
    yield _policy("boards", "change", "UPDATE", using=managed, check=managed)
    yield _policy("boards", "remove", "DELETE", using=mine)

    # Reads no table, so that boards may read it.
    yield _policy("board_shares", "read", "SELECT", using=f"{mine} OR owner_id = {me}")
    yield _policy("board_shares", "add", "INSERT", check=f"owner_id = {me}")
    yield _policy("board_shares", "change", "UPDATE", using=f"owner_id = {me}", check=f"owner_id = {me}")
    yield _policy("board_shares", "remove", "DELETE", using=f"{mine} OR owner_id = {me}")

    on_readable = "board_id IS NOT NULL AND EXISTS (SELECT 1 FROM boards b WHERE b.board_id = media.board_id)"
    on_writable = f"board_id IS NOT NULL AND {_writable_board('media.board_id')}"
    yield _policy("media", "read", "SELECT", using=f"{mine} OR {on_readable}")
    yield _policy("media", "add", "INSERT", check=mine)
    yield _policy("media", "change", "UPDATE", using=f"{mine} OR {on_writable}", check=f"{mine} OR {on_writable}")
    yield _policy("media", "remove", "DELETE", using=f"{mine} OR {on_writable}")

    # What comes with the studio is read by everybody, so no tenant may add to it.
    yield from _own_and_read("workflows", f"{mine} OR is_public OR category = 'default'", kept=" AND category <> 'default'")
    yield from _own_and_read("style_presets", f"{mine} OR is_public OR type = 'default'", kept=" AND type <> 'default'")
    yield from _own_and_read("system_prompts", f"{mine} OR is_public")
    yield from _own_and_read("client_state", mine)
    yield from _own_and_read("queue_items", mine)


def _own_and_read(table: str, readable: str, kept: str = "") -> Iterator[str]:
    mine = "user_id = (SELECT tenantry_user())"
    yield _policy(table, "read", "SELECT", using=readable)
    yield _policy(table, "add", "INSERT", check=mine + kept)
    yield _policy(table, "change", "UPDATE", using=mine, check=mine + kept)
    yield _policy(table, "remove", "DELETE", using=mine)


def _policy(table: str, name: str, command: str, *, using: str | None = None, check: str | None = None) -> str:
    clauses = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return f"CREATE POLICY {name} ON {table} FOR {command} TO {TENANT_ROLE}{clauses}"
