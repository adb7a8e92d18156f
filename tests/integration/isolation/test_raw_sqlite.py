"""Raw SQL on SQLite: rows are neither linked nor moved across users, whoever writes the statement."""

import sqlite3
from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa

from tenantry import Studio
from tenantry.database import DatabaseURL
from tenantry.database.tables import metadata
from tenantry.errors import CrossTenantRefused
from tenantry.queue import UnitOfWork
from tenantry.studio import connect
from tests.integration.conftest import Mode
from tests.integration.isolation.world import MANAGER, OWNER, READER, STRANGER, WRITER, fill

NEW_MEDIA = (
    "INSERT INTO media (kind, name, user_id, board_id, origin, category, width, height, created_at, updated_at)"
    " VALUES ('image', 'new', '{owner}', {board}, 'internal', 'general', 1, 1, '', '')"
)
NEW_SHARE = (
    "INSERT INTO board_shares (board_id, user_id, owner_id, permission, shared_at)"
    " VALUES ('{board}', '{who}', '{owner}', 'admin', '')"
)
OWN_COVER = "(SELECT media_id FROM media WHERE name = 'own-bo-image')"
HER_IMAGE = "(SELECT media_id FROM media WHERE name = 'hidden-image')"

BY_STRANGER = {
    "puts an own image on her board": "UPDATE media SET board_id = 'hidden-board' WHERE name = 'own-bo-image'",
    "makes an image on her board": NEW_MEDIA.format(owner="user-bo", board="'hidden-board'"),
    "pulls her image to an own board": "UPDATE media SET board_id = 'own-bo-board' WHERE name = 'hidden-image'",
    "makes an image of hers": NEW_MEDIA.format(owner="owner-ana", board="NULL"),
    "makes an image of hers on an own board": NEW_MEDIA.format(owner="owner-ana", board="'own-bo-board'"),
    "shares her board with himself": NEW_SHARE.format(board="hidden-board", who="user-bo", owner="owner-ana"),
    "shares her board as if it were his": NEW_SHARE.format(board="hidden-board", who="user-bo", owner="user-bo"),
    "turns a share of hers to himself": "UPDATE board_shares SET user_id = 'user-bo' WHERE user_id = 'user-reader'",
    "turns a share of hers to another board": "UPDATE board_shares SET board_id = 'hidden-board'",
    "takes her shares over": "UPDATE board_shares SET owner_id = 'user-bo'",
    "raises a share of hers": "UPDATE board_shares SET permission = 'admin' WHERE user_id = 'user-reader'",
    "makes her image an own cover": f"UPDATE boards SET cover_media_id = {HER_IMAGE} WHERE board_id = 'own-bo-board'",
    "makes an own image her cover, and hers to an own board": (
        "UPDATE boards SET cover_media_id = (SELECT media_id FROM media WHERE name = 'vixen-image') WHERE user_id = 'user-bo'"
    ),
    "replaces her image by an own one": NEW_MEDIA.format(owner="user-bo", board="'hidden-board'").replace(
        "INSERT", "INSERT OR REPLACE"
    ),
    "takes a board over while inserting it": (
        "INSERT INTO boards (board_id, user_id, board_name, created_at, updated_at)"
        " VALUES ('hidden-board', 'user-bo', 'x', '', '') ON CONFLICT (board_id) DO UPDATE SET user_id = excluded.user_id"
    ),
}

KEPT = {"account_links", "api_keys", "events", "queue_counts", "queue_turns", "queue_limits", "queue_usage"}
"""What Tenantry itself keeps of a user, who may look at it at most: who could write there could cheat on others."""

UNIQUE = {
    "batches.batch_id",
    "batches.idempotency_key",
    "boards.board_id",
    "client_state.key",
    "media.name",
    "queue_items.session_id",
    "style_presets.preset_id",
    "system_prompts.prompt_id",
    "workflows.workflow_id",
}


@pytest.fixture
async def world(sqlite_url: DatabaseURL) -> Studio:
    studio = connect(sqlite_url)
    await fill(studio)
    return studio


@pytest.fixture(params=["async", "direct"])
def mode(request: pytest.FixtureRequest, world: Studio) -> Iterator[Mode]:
    """Both modes; closes the studio."""
    yield Mode(world, request.param)
    world.close()


def owned_tables() -> list[str]:
    """Every table whose rows belong to a user, who makes and changes them."""
    others = {"users", "board_shares", *KEPT}
    return [table.name for table in metadata.sorted_tables if "user_id" in table.c and table.name not in others]


def copied_columns(table: str) -> list[str]:
    """What a copy of a row takes over; not its own number."""
    columns = metadata.tables[table].c
    own = columns if table == "batches" else [column for column in columns if column.name != "batch_key"]
    numbers = {column.name for column in own if isinstance(column.type, sa.BigInteger)}
    return [column.name for column in columns if column.name not in numbers]


async def execute(work: UnitOfWork, statement: str) -> int:
    return await work.ground.connection.execute(sa.text(statement))


@pytest.mark.parametrize("statement", BY_STRANGER.values(), ids=BY_STRANGER.keys())
async def test_a_stranger_links_and_moves_nothing(mode: Mode, statement: str) -> None:
    """In a unit of work of his own."""
    with pytest.raises(CrossTenantRefused):
        await mode.write(STRANGER, lambda work: execute(work, statement))


@pytest.mark.parametrize("table", owned_tables())
async def test_no_row_changes_its_owner(mode: Mode, table: str) -> None:
    """Neither the stranger's to her, nor hers to him, nor by herself."""
    for who, old, new in (
        (STRANGER, "user-bo", "owner-ana"),
        (STRANGER, "owner-ana", "user-bo"),
        (OWNER, "owner-ana", "user-bo"),
    ):
        statement = f"UPDATE {table} SET user_id = '{new}' WHERE user_id = '{old}'"
        with pytest.raises(CrossTenantRefused):
            await mode.write(who, partial(execute, statement=statement))


@pytest.mark.parametrize("table", owned_tables())
async def test_no_row_is_made_in_anothers_name(mode: Mode, table: str) -> None:
    """Also not as a copy of a row of hers."""
    columns = copied_columns(table)
    listed = ", ".join(columns)
    copied = ", ".join(f"{name} || '-copy'" if f"{table}.{name}" in UNIQUE else name for name in columns)
    statement = f"INSERT INTO {table} ({listed}) SELECT {copied} FROM {table} WHERE user_id = 'owner-ana' LIMIT 1"
    with pytest.raises(CrossTenantRefused):
        await mode.write(STRANGER, lambda work: execute(work, statement))
    await mode.write(OWNER, lambda work: execute(work, statement))


@pytest.mark.parametrize("table", sorted({*KEPT, "audit_entries", "login_attempts", "queues", "queue_defaults", "workers"}))
async def test_what_tenantry_keeps_is_not_a_tenants_to_write(mode: Mode, table: str) -> None:
    """Neither counts nor turns nor limits, not even one's own."""
    columns = ", ".join(column.name for column in metadata.tables[table].c if column.computed is None)
    for statement in (
        f"UPDATE {table} SET {columns.split(', ')[-1]} = {columns.split(', ')[-1]}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 1",
    ):
        with pytest.raises(CrossTenantRefused):
            await mode.write(OWNER, partial(execute, statement=statement))


async def test_taking_things_off_a_board_and_putting_own_things_on_a_shared_one_is_allowed(mode: Mode) -> None:
    """Only linking is judged, by the same rules as the repositories'."""
    off = "UPDATE media SET board_id = NULL WHERE board_id = 'vixen-board'"
    assert await mode.write(WRITER, lambda work: execute(work, off)) == 4
    for who in (WRITER, MANAGER, OWNER):
        made = NEW_MEDIA.format(owner=who.user_id, board="'vixen-board'").replace("'new'", f"'new-{who.user_id}'")
        assert await mode.write(who, partial(execute, statement=made)) == 1
    with pytest.raises(CrossTenantRefused):
        await mode.write(READER, lambda work: execute(work, NEW_MEDIA.format(owner="user-reader", board="'vixen-board'")))
    for who in (WRITER, MANAGER):
        share = NEW_SHARE.format(board="vixen-board", who="user-bo", owner="owner-ana")
        with pytest.raises(CrossTenantRefused):
            await mode.write(who, partial(execute, statement=share))


def test_a_plain_connection_links_and_moves_nothing(world: Studio, sqlite_url: DatabaseURL) -> None:
    """The sqlite3 shell has nobody to act for; taking off a board and reading are open to it, as the file is."""
    plain = sqlite3.connect(sqlite_url.path, isolation_level=None)
    statements = [
        *BY_STRANGER.values(),
        *[f"UPDATE {table} SET user_id = 'user-bo' WHERE user_id = 'owner-ana'" for table in owned_tables()],
        f"UPDATE boards SET cover_media_id = {OWN_COVER} WHERE board_id = 'hidden-board'",
    ]
    before = [plain.execute(f"SELECT * FROM {table.name}").fetchall() for table in metadata.sorted_tables]
    for statement in statements:
        with pytest.raises(sqlite3.OperationalError, match="no such function: tenantry_"):
            plain.execute(statement)
    assert [plain.execute(f"SELECT * FROM {table.name}").fetchall() for table in metadata.sorted_tables] == before
    plain.execute("UPDATE media SET starred = 1 WHERE name = 'hidden-image'")
    plain.close()
    world.close()
