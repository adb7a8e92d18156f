"""What becomes of a user's things: deleted, given away or kept, and never anybody's."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.accounts import AccountRules, Accounts
from tenantry.database.connection import Connection
from tenantry.database.tables import board_shares, boards, events, media, metadata, style_presets, users
from tenantry.errors import IntegrityViolation, InvalidInput, NotFound, ProtectedUser
from tenantry.repositories import MediaFile, RowsMoved, RowsRemoved, UnitOfWork
from tenantry.repositories.owners import owned_tables, owner_columns, unhandled_columns
from tenantry.repositories.queue_counts import disagreements
from tenantry.tenancy import InternalReason
from tests.integration.belongings import give_belongings
from tests.integration.conftest import Mode, People
from tests.integration.isolation.snapshot import StoredRow, snapshot

NOTED = ("account_links", "api_keys", "events", "queue_turns", "queue_limits", "queue_usage")
"""What is noted of a user; it goes with the user, not with what is theirs."""

ITSELF = Principal.internal(InternalReason.CHANGE_OWNER)


@pytest.fixture
async def world(studio: Studio, people: People) -> Studio:
    """Ana and Bo have something in every table."""
    async with studio.begin(ITSELF) as work:
        await give_belongings(work.ground.connection)
    return studio


@pytest.fixture
def accounts(world: Studio) -> Accounts:
    return Accounts(world, rules=AccountRules(bcrypt_cost=4))


def test_every_column_that_names_a_user_is_taken_care_of() -> None:
    """A new table with an owner is named here until `Ownership` knows what becomes of its rows."""
    assert unhandled_columns() == []
    pointing = {table.name for table in metadata.tables.values() for key in table.foreign_keys if key.column is users.c.user_id}
    assert pointing | {"queue_items", "events"} == {column.table.name for column in owner_columns()}


async def test_the_world_of_these_tests_has_something_in_every_table(world: Studio) -> None:
    """Otherwise they would show nothing about it."""
    assert [str(column) for column in owner_columns() if not await _rows_of(world, column, "ana")] == []


async def test_deleted_data_is_gone_and_nothing_else(mode: Mode, world: Studio) -> None:
    """Others' things on the user's boards stay, on no board; files are named so that they can be deleted."""
    before = await _snapshot(world)
    removed = await mode.write(ITSELF, lambda work: work.ownership.delete_data("ana"))
    assert await _tables_of(world, "ana") == sorted(NOTED)
    assert sorted(removed.files, key=str) == [
        MediaFile("image", "ana-loose", "2026"),
        MediaFile("image", "ana-own", "2026"),
        MediaFile("image", "ana-visiting", "2026"),
        MediaFile("video", "ana-own", "2026"),
    ]
    assert removed.rows == {
        "media": 4,
        "board_shares": 3,
        "boards": 1,
        "workflows": 1,
        "style_presets": 1,
        "system_prompts": 1,
        "batches": 1,
        "queue_items": 2,
        "client_state": 2,
        "import_residue": 1,
    }
    changed = {row for row in before ^ await _snapshot(world) if "=ana" not in row.text and "of-ana" not in row.text}
    assert {(row.table, row.owner, "name=bo-visiting" in row.text) for row in changed} == {("media", "bo", True)}
    assert await _value(world, sa.select(media.c.board_id).where(media.c.name == "bo-visiting")) is None
    await mode.write(ITSELF, lambda work: work.users.delete("ana"))
    # That they are gone is still to be told.
    assert await _tables_of(world, "ana") == ["events"]
    assert await _rows_of(world, events.c.user_id, "ana") == 1


@pytest.mark.parametrize("to", ["bo", "system"])
async def test_given_and_kept_things_change_nothing_but_their_owner(mode: Mode, world: Studio, to: str) -> None:
    """Boards keep what is on them and who may see them."""
    before = await mode.read(ITSELF, lambda work: work.ownership.count("ana"))
    had = await mode.read(ITSELF, lambda work: work.ownership.count(to))
    on_board = await _value(world, _on_board("ana-board"))
    moved = await mode.write(ITSELF, lambda work: _give(work, to))
    assert await _tables_of(world, "ana") == sorted(NOTED)
    has = await mode.read(ITSELF, lambda work: work.ownership.count(to))
    for name in (*(table.name for table in owned_tables()), "queue_items"):
        assert has[name] - had.get(name, 0) == before[name] == moved.rows[name]
    assert await _value(world, _on_board("ana-board")) == on_board
    assert await _value(world, sa.select(boards.c.user_id).where(boards.c.board_id == "ana-board")) == to
    await mode.write(ITSELF, lambda work: work.users.delete("ana"))


@pytest.mark.parametrize("choice", ["delete", "transfer", "keep"])
async def test_the_queue_is_counted_right_whatever_becomes_of_its_items(accounts: Accounts, world: Studio, choice: str) -> None:
    """The new owner's items are theirs to wait for, and running ones go with what is deleted."""
    async with world.read(ITSELF) as work:
        assert await disagreements(work.ground.connection) == []
    await accounts.delete("ana", choice, "bo" if choice == "transfer" else None)
    async with world.read(ITSELF) as work:
        assert await disagreements(work.ground.connection) == []
        everybody = (await work.queue.status()).everybody
    assert (everybody.pending, everybody.in_progress) == ((1, 1) if choice == "delete" else (2, 2))
    async with world.read(Principal("bo")) as work:
        assert (await work.queue.status()).own.total == (4 if choice == "transfer" else 2)


async def test_shares_of_a_given_board_stay_and_received_ones_end(mode: Mode, world: Studio, people: People) -> None:
    """Whoever shared with the user chose that user; and nobody has a share of their own board."""
    await mode.write(ITSELF, lambda work: work.ownership.transfer("ana", "bo"))
    async with world.read(ITSELF) as work:
        shares = await work.ground.connection.fetch_all(sa.select(board_shares).order_by(board_shares.c.board_id))
    held = [(share.board_id, share.user_id, share.owner_id) for share in shares]
    assert held == [("ana-board", "cy", "bo"), ("bo-board", "cy", "bo")]
    assert (await mode.read(people.cy, lambda work: work.boards.get("ana-board"))).user_id == "bo"


async def test_a_receiver_keeps_their_own_client_state(mode: Mode, world: Studio, people: People) -> None:
    """And gets what they had no value for."""
    await mode.write(ITSELF, lambda work: work.ownership.transfer("ana", "bo"))
    assert await mode.read(people.bo, lambda work: work.client_state.get("theme")) == "bo's"
    assert await mode.read(people.bo, lambda work: work.client_state.get("only-ana")) == "ana's"


@pytest.mark.parametrize("to", ["nobody", "ana", "system", "a\0b"])
async def test_a_receiver_that_cannot_be_is_refused(mode: Mode, world: Studio, to: str) -> None:
    """Nothing changes."""
    before = await _snapshot(world)
    with pytest.raises(InvalidInput):
        await mode.write(ITSELF, lambda work: work.ownership.transfer("ana", to))
    for attempt in (lambda work: work.ownership.delete_data("nobody"), lambda work: work.ownership.keep("nobody")):
        with pytest.raises(NotFound):
            await mode.write(ITSELF, attempt)
    assert await _snapshot(world) == before


async def test_what_a_single_user_studio_left_is_given_to_a_user(mode: Mode, world: Studio, people: People) -> None:
    """Except what comes with every studio, which the next start would make again."""
    system = Principal("system", is_admin=True)
    board = await mode.write(system, lambda work: work.boards.create("Old foxes"))
    own = await mode.write(system, lambda work: work.presets.create("Ink", "{}"))
    default = await mode.write(system, lambda work: work.presets.create("Stock", "{}", preset_type="default"))
    await mode.write(system, lambda work: work.client_state.set("theme", "dark"))
    await mode.write(system, lambda work: work.client_state.set("only-system", "dark"))
    moved = await mode.write(ITSELF, lambda work: work.ownership.legacy_assign("BO@example.com"))
    assert (moved.rows, moved.total) == ({"boards": 1, "style_presets": 1, "client_state": 1}, 3)
    assert (await mode.read(people.bo, lambda work: work.boards.get(board.board_id))).user_id == "bo"
    held = await mode.read(people.bo, lambda work: work.presets.get(own.preset_id))
    assert held.user_id == "bo"
    assert await mode.read(people.bo, lambda work: work.client_state.get("only-system")) == "dark"
    assert await mode.read(people.bo, lambda work: work.client_state.get("theme")) == "bo's"
    assert await mode.read(system, lambda work: work.client_state.get("theme")) == "dark"
    assert await _value(world, _owner_of_preset(default.preset_id)) == "system"
    assert (await mode.write(ITSELF, lambda work: work.ownership.legacy_assign("bo@example.com"))).total == 0
    with pytest.raises(NotFound):
        await mode.write(ITSELF, lambda work: work.ownership.legacy_assign("nobody@example.com"))
    with pytest.raises(NotFound):
        await mode.write(ITSELF, lambda work: work.ownership.legacy_assign("system@system.invokeai"))


async def test_an_account_is_deleted_with_its_data_as_was_chosen(accounts: Accounts, world: Studio) -> None:
    """In one transaction; the user is gone whatever was chosen."""
    kept = await accounts.delete("cy", data="keep")
    assert isinstance(kept, RowsMoved)
    given = await accounts.delete("ana", data="transfer", to="bo")
    assert isinstance(given, RowsMoved)
    assert given.rows["boards"] == 1
    removed = await accounts.delete("bo", data="delete")
    assert isinstance(removed, RowsRemoved)
    assert removed.rows["boards"] == 2
    for user_id in ("ana", "bo", "cy"):
        with pytest.raises(NotFound):
            await accounts.user(user_id)


async def test_a_choice_that_cannot_be_changes_nothing(accounts: Accounts, world: Studio) -> None:
    """Each names its field."""
    before = await _snapshot(world)
    attempts = [("burn", None, "data"), ("transfer", None, "to"), ("keep", "bo", "to"), ("transfer", "nobody", "to")]
    for data, to, field in attempts:
        with pytest.raises(InvalidInput) as caught:
            await accounts.delete("ana", data, to)
        assert caught.value.field == field
    with pytest.raises(ProtectedUser):
        await accounts.delete("system", "delete")
    assert await _snapshot(world) == before


async def test_nothing_is_added_for_a_user_who_is_being_deleted(accounts: Accounts, world: Studio) -> None:
    """What came in before is gone too, what comes after is refused."""

    async def add(number: int) -> str:
        try:
            async with world.begin(Principal("ana")) as work:
                await work.boards.create(f"Late foxes {number}")
        except IntegrityViolation:
            return "refused"
        return "added"

    await asyncio.gather(
        *[add(number) for number in range(4)], accounts.delete("ana", "delete"), *[add(n) for n in range(4, 8)]
    )
    assert await add(8) == "refused"
    assert await _rows_of(world, boards.c.user_id, "ana") == 0


async def _give(work: UnitOfWork, to: str) -> RowsMoved:
    return await (work.ownership.keep("ana") if to == "system" else work.ownership.transfer("ana", to))


async def _snapshot(studio: Studio) -> frozenset[StoredRow]:
    async with studio.read(ITSELF) as work:
        return await snapshot(work.ground.connection)


async def _tables_of(studio: Studio, user_id: str) -> list[str]:
    """The tables that name the user."""
    return sorted({column.table.name for column in owner_columns() if await _rows_of(studio, column, user_id)})


async def _rows_of(studio: Studio, column: sa.ColumnElement[str], user_id: str) -> int:
    found: int = await _value(studio, sa.select(sa.func.count()).where(column == user_id))
    return found


async def _value(studio: Studio, query: sa.Select[Any]) -> Any:
    async with studio.read(ITSELF) as work:
        connection: Connection = work.ground.connection
        return await connection.fetch_value(query)


def _on_board(board_id: str) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(media).where(media.c.board_id == board_id)


def _owner_of_preset(preset_id: str) -> sa.Select[Any]:
    return sa.select(style_presets.c.user_id).where(style_presets.c.preset_id == preset_id)
