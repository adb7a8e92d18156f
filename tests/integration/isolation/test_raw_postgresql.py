"""Raw SQL on PostgreSQL, through a tenant's unit of work: row-level security holds where a repository would forget.

Out of scope is a statement that sets the role or the user itself: whoever can send that can send anything as the login, and
no part of Tenantry builds SQL from what a user says.
"""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database import DatabaseURL, PostgreSQLDatabase
from tenantry.database.tables import metadata
from tenantry.errors import CrossTenantRefused, IntegrityViolation
from tenantry.queue import UnitOfWork
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode
from tests.integration.isolation.snapshot import StoredRow, snapshot
from tests.integration.isolation.test_raw_sqlite import BY_STRANGER, UNIQUE, copied_columns, execute, owned_tables
from tests.integration.isolation.world import ADMINISTRATOR, MANAGER, OWNER, READER, STRANGER, WRITER, fill

INTERNAL = Principal.internal(InternalReason.OPERATE)
TABLES = [table.name for table in metadata.sorted_tables]
FOR_EVERYBODY = {"models", "model_relationships", "queues", "queue_defaults"}
HASHES = {("users", "password_hash"), ("api_keys", "key_hash")}
SHOWN_TO_ALL = {"workflows", "style_presets", "system_prompts"}


@pytest.fixture
async def studio(postgres_url: DatabaseURL) -> AsyncIterator[Studio]:
    """A filled studio on PostgreSQL."""
    studio = Studio(PostgreSQLDatabase(postgres_url))
    await fill(studio)
    yield studio
    await studio.aclose()


class Undone(Exception):
    """Takes back what a statement did, once it was looked at."""


async def attempt(mode: Mode, who: Principal, statement: str) -> tuple[int, frozenset[StoredRow]]:
    """How many rows a statement changed, and what is stored after it; all is taken back."""
    count, stored = 0, frozenset[StoredRow]()

    async def run(work: UnitOfWork) -> None:
        nonlocal count, stored
        count = await work.ground.connection.execute(sa.text(statement))
        await work.ground.connection.act_as(INTERNAL.identity)
        stored = await snapshot(work.ground.connection)
        raise Undone

    with pytest.raises(Undone):
        await mode.write(who, run)
    return count, stored


async def stored_now(mode: Mode) -> frozenset[StoredRow]:
    return await mode.read(INTERNAL, lambda work: snapshot(work.ground.connection))


def granted_columns(table: str) -> list[str]:
    """What a tenant may read of a table."""
    return [column.name for column in metadata.tables[table].c if (table, column.name) not in HASHES]


async def read(mode: Mode, who: Principal, table: str) -> list[str]:
    """The rows of a table that a tenant sees, as text; none where it may not look at all."""
    query = sa.text(f"SELECT {', '.join(granted_columns(table))} FROM {table}")

    async def rows(work: UnitOfWork) -> list[str]:
        return [str(tuple(row)) for row in await work.ground.connection.fetch_all(query)]

    try:
        return await mode.read(who, rows)
    except CrossTenantRefused:
        return []


async def test_every_table_is_guarded(studio: Studio) -> None:
    """Row-level security is on, and forced, and every policy names one of the two roles; a new table is named here."""
    async with studio.read(INTERNAL) as work:
        fetch = work.ground.connection.fetch_all
        found = await fetch(
            sa.text(
                "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
                " WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND relnamespace = 'public'::regnamespace"
            )
        )
        policies = await fetch(sa.text("SELECT tablename, policyname, roles::text[] AS roles, cmd FROM pg_policies"))
        definers = await fetch(sa.text("SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"))
    guarded = {row.relname for row in found if row.relrowsecurity and row.relforcerowsecurity}
    assert sorted({row.relname for row in found} - guarded) == ["alembic_version"]
    assert sorted(set(TABLES) - guarded) == []
    assert {tuple(row.roles) for row in policies} == {("tenantry_tenant",), ("tenantry_service",)}
    assert {row.tablename for row in policies if row.policyname == "service"} == set(TABLES)
    # A function that runs with its owner's rights would see past the policies.
    assert [row.proname for row in definers] == []


async def test_the_roles_have_no_rights_of_their_own(studio: Studio) -> None:
    """Nobody logs in as them, neither passes by the policies, and neither owns or empties a table."""
    async with studio.read(INTERNAL) as work:
        fetch = work.ground.connection.fetch_all
        roles = await fetch(
            sa.text(
                "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles"
                " WHERE rolname IN ('tenantry_tenant', 'tenantry_service')"
            )
        )
        rights = await fetch(
            sa.text(
                "SELECT relname FROM pg_class, unnest(ARRAY['tenantry_tenant', 'tenantry_service']) AS who"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND (has_table_privilege(who, oid, 'TRUNCATE') OR has_table_privilege(who, oid, 'TRIGGER')"
                " OR pg_get_userbyid(relowner) = who)"
            )
        )
    assert [tuple(row) for row in roles] == [(False, False, False, False)] * 2
    assert rights == []


@pytest.mark.parametrize("who", [STRANGER, READER, WRITER, MANAGER], ids=lambda who: who.user_id)
async def test_a_tenant_reads_own_and_shown_rows_only(mode: Mode, who: Principal) -> None:
    """Of every table, whole, without any condition; and no policy reads itself in a circle."""
    for table in TABLES:
        rows = await read(mode, who, table)
        assert [row for row in rows if "hidden" in row] == []
        if who is STRANGER:
            foreign = [row for row in rows if "own-bo" not in row and "user-bo" not in row]
            assert foreign == [] or table in FOR_EVERYBODY or (table in SHOWN_TO_ALL and "vixen" in foreign[0])
        if table == "board_shares":
            assert [row for row in rows if who.user_id not in row] == []
        if table == "boards" and who is not STRANGER:
            assert len(rows) == 2
    mine = {table: len([row for row in await read(mode, OWNER, table) if "owner-ana" in row]) for table in TABLES}
    assert min(mine[table] for table in owned_tables()) > 0


@pytest.mark.parametrize("who", [STRANGER, OWNER], ids=lambda who: who.user_id)
async def test_secrets_are_not_a_tenants_to_read(mode: Mode, who: Principal) -> None:
    """Neither the password's hash, not even one's own, nor the installation's settings and what an import left."""
    for statement in (
        "SELECT password_hash FROM users",
        "SELECT * FROM users",
        "SELECT value FROM app_settings",
        "SELECT key_hash FROM api_keys",
        "SELECT 1 FROM api_keys WHERE key_hash LIKE 'hidden%'",
        "UPDATE api_keys SET scopes = 'admin'",
        "SELECT 1 FROM account_links",
        "SELECT 1 FROM login_attempts",
        "SELECT 1 FROM audit_entries",
        "SELECT value FROM import_residue",
        "SELECT 1 FROM media_move_jobs",
        "SELECT 1 FROM users WHERE password_hash LIKE 'hidden%'",
        "UPDATE users SET is_admin = true",
        "INSERT INTO app_settings VALUES ('k', 'v', '', '')",
        "TRUNCATE boards CASCADE",
    ):
        with pytest.raises(CrossTenantRefused):
            await mode.write(who, partial(execute, statement=statement))
    assert [row for row in await read(mode, who, "users") if who.user_id not in row] == []


async def test_a_stranger_changes_and_deletes_own_rows_only(mode: Mode) -> None:
    """Statements without any condition, on every table."""
    before = await stored_now(mode)
    for table in TABLES:
        changeable = [column for column in metadata.tables[table].c if column.computed is None]
        columns = [column.name for column in changeable if column.name != "user_id"]
        for statement in (f"UPDATE {table} SET {columns[-1]} = {columns[-1]}", f"DELETE FROM {table}"):
            try:
                _, after = await attempt(mode, STRANGER, statement)
            except CrossTenantRefused:
                assert table not in owned_tables()
                continue
            # Deleting a board takes what is on it off, which is its owner's alone here.
            assert {row.owner for row in before ^ after} <= {STRANGER.user_id}, statement
            left = [row for row in after if row.table == table and row.owner == STRANGER.user_id]
            assert left == [] or table not in owned_tables() or statement.startswith("UPDATE"), statement


async def test_a_row_belongs_to_whoever_makes_it_and_for_good(mode: Mode) -> None:
    """A stranger makes none in her name, gives none away and takes none over; nor does she."""
    before = await stored_now(mode)
    for table in owned_tables():
        columns = copied_columns(table)
        copied = ", ".join(f"{name} || '-copy'" if f"{table}.{name}" in UNIQUE else name for name in columns)
        in_her_name = copied.replace("user_id", "'owner-ana'")
        insert = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {in_her_name} FROM {table} WHERE user_id = 'user-bo'"
        with pytest.raises((CrossTenantRefused, IntegrityViolation)):
            await attempt(mode, STRANGER, insert)
        for who, other in ((STRANGER, OWNER), (OWNER, STRANGER)):
            with pytest.raises(CrossTenantRefused):
                await attempt(mode, who, f"UPDATE {table} SET user_id = '{other.user_id}' WHERE user_id = '{who.user_id}'")
            taken = f"UPDATE {table} SET user_id = '{who.user_id}' WHERE user_id = '{other.user_id}'"
            assert await attempt(mode, who, taken) == (0, before), table


async def test_a_stranger_links_and_moves_nothing(mode: Mode) -> None:
    """The statement is refused, or finds no row."""
    before = await stored_now(mode)
    for name, statement in BY_STRANGER.items():
        if "OR REPLACE" in statement:
            # SQLite's alone.
            continue
        try:
            _, after = await attempt(mode, STRANGER, statement)
        except (CrossTenantRefused, IntegrityViolation):
            continue
        assert {row.owner for row in before ^ after} <= {STRANGER.user_id}, name
        assert not [row for row in after - before if "hidden" in row.text or "vixen" in row.text], name


async def test_a_writer_changes_what_is_on_the_board_and_moves_nothing_of_hers(mode: Mode) -> None:
    """A star is a writer's to give; the owner, another board, and what is not on the board are not."""
    before = await stored_now(mode)
    count, after = await attempt(mode, WRITER, "UPDATE media SET starred = true")
    assert count == 4
    assert {row.text.count("vixen-board") for row in before - after} == {1}
    assert (await attempt(mode, READER, "UPDATE media SET starred = true"))[0] == 0
    for statement in (
        "UPDATE media SET user_id = 'user-writer'",
        "UPDATE media SET board_id = NULL",
        "UPDATE media SET board_id = 'vixen-board-archived'",
        "UPDATE board_shares SET permission = 'admin'",
        "UPDATE boards SET visibility = 'public'",
    ):
        try:
            assert (await attempt(mode, WRITER, statement))[0] == 0
        except CrossTenantRefused:
            continue


async def test_an_administrator_sees_everything(mode: Mode) -> None:
    """The other role is for that; the policies limit tenants only."""
    assert len([row for row in await read(mode, ADMINISTRATOR, "boards") if "hidden" in row]) == 2


async def test_a_default_is_not_a_tenants_to_make(mode: Mode) -> None:
    """What comes with the studio is shown to everybody."""
    for statement in ("UPDATE workflows SET category = 'default'", "UPDATE style_presets SET type = 'default'"):
        with pytest.raises(CrossTenantRefused):
            await attempt(mode, STRANGER, statement)
