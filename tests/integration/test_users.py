"""Users and the rules that concern all accounts, on both databases and in both modes."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database.tables import users
from tenantry.errors import (
    Conflict,
    InvalidCursor,
    InvalidInput,
    LastAdministrator,
    NotAllowed,
    NotFound,
    ProtectedUser,
)
from tenantry.repositories import UnitOfWork, User, UserKind
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode, People

HASH = "$2b$04$" + "x" * 53
OTHER_HASH = "$2b$04$" + "y" * 53
ITSELF = Principal.internal(InternalReason.ADMINISTER_ACCOUNTS)

Change = Callable[[UnitOfWork], Coroutine[Any, Any, object]]


@pytest.fixture
async def tombstone(studio: Studio, people: People) -> str:
    """The hidden owner of rows whose user is gone."""
    values = {"user_id": "gone", "kind": "tombstone", "is_active": False, "created_at": "2026", "updated_at": "2026"}
    async with studio.begin(ITSELF) as work:
        await work.ground.connection.execute(sa.insert(users).values(values))
    return "gone"


async def test_a_tenant_sees_itself_and_nobody_else(mode: Mode, people: People) -> None:
    """Not by id, not by address, not in any list."""
    ana = await mode.read(people.ana, lambda work: work.users.get("ana"))
    assert (ana.email, ana.display_name, ana.is_admin, ana.principal) == ("ana@example.com", "Ana", False, people.ana)
    for look in (lambda work: work.users.get("bo"), lambda work: work.users.get_by_email("bo@example.com")):
        with pytest.raises(NotFound):
            await mode.read(people.ana, look)
    assert await mode.read(people.ana, lambda work: work.users.get_many(["ana", "bo", "nobody"])) == {"ana": ana}
    assert (await mode.read(people.ana, lambda work: work.users.page(search="example"))).items == [ana]
    assert await mode.read(people.ana, lambda work: work.users.all(include_hidden=True)) == [ana]


async def test_a_tenant_renames_itself_and_changes_no_right(mode: Mode, people: People) -> None:
    """Others' names neither."""
    renamed = await mode.write(people.ana, lambda work: work.users.update("ana", display_name="Anna"))
    assert renamed.display_name == "Anna"
    assert renamed.updated_at > renamed.created_at
    with pytest.raises(NotFound):
        await mode.write(people.ana, lambda work: work.users.update("bo", display_name="Anna"))
    attempts: list[Change] = [
        lambda work: work.users.update("ana", is_admin=True),
        lambda work: work.users.update("ana", is_active=True),
        lambda work: work.users.update("ana", email="other@example.com"),
        lambda work: work.users.set_password("ana", HASH),
        lambda work: work.users.create("new@example.com", HASH),
        lambda work: work.users.delete("ana"),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            await mode.write(people.ana, attempt)
    assert await mode.read(people.ana, lambda work: work.users.get("ana")) == renamed


async def test_administrators_list_people_newest_first(mode: Mode, people: People, tombstone: str) -> None:
    """The system user and tombstones come only when asked for, whichever way the list is walked."""
    for number in range(3):
        await mode.write(people.root, partial(_create, f"new{number}@example.com"))
    page = await mode.read(people.root, lambda work: work.users.page(limit=100))
    assert [user.email for user in page.items[:3]] == [f"new{number}@example.com" for number in (2, 1, 0)]
    assert {user.user_id for user in page.items[3:]} == {"ana", "bo", "cy", "root"}
    assert page.total == 7
    assert await mode.read(people.root, _walk) == page.items
    everybody = await mode.read(people.root, lambda work: work.users.page(include_hidden=True))
    assert {user.user_id for user in everybody.items} - {user.user_id for user in page.items} == {"system", tombstone}
    cursor = (await mode.read(people.root, lambda work: work.users.slice(limit=1))).next_cursor
    with pytest.raises(InvalidCursor):
        await mode.read(people.root, lambda work: work.users.slice(cursor=cursor, search="new"))


async def test_search_finds_parts_of_addresses_and_names(mode: Mode, people: People) -> None:
    """Whatever their case; wildcards are ordinary characters."""

    async def found(term: str) -> set[str]:
        page = await mode.read(people.root, lambda work: work.users.page(search=term))
        return {user.user_id for user in page.items}

    for term, expected in (("AN", {"ana"}), ("o@ex", {"bo"}), ("root", {"root"}), ("%", set()), ("a_a", set())):
        assert await found(term) == expected, term


async def test_an_address_is_found_in_its_spelling_and_in_lower_case(mode: Mode, people: People) -> None:
    """New addresses are stored in lower case; old ones keep theirs, and an exact match comes first."""
    made = await mode.write(people.root, lambda work: work.users.create("Dora@Example.COM", HASH))
    assert made.email == "dora@example.com"
    await mode.write(ITSELF, partial(_respell, "bo", "Ana@example.com"))

    async def found(spelling: str) -> str:
        return (await mode.read(people.root, lambda work: work.users.get_by_email(spelling))).user_id

    for spelling, user_id in (("ana@example.com", "ana"), ("Ana@EXAMPLE.com", "bo"), ("ANA@example.com", "ana")):
        assert await found(spelling) == user_id
    assert (await mode.read(people.root, lambda work: work.users.get_by_email(" DORA@example.com "))) == made


@pytest.mark.parametrize("email", ["ana@example.com", "ANA@example.com", " ana@Example.com"])
async def test_an_address_belongs_to_one_user(mode: Mode, people: People, email: str) -> None:
    """In any case of letters; nothing changes, and the transaction may go on."""

    async def attempt(work: UnitOfWork) -> None:
        with pytest.raises(Conflict) as caught:
            await work.users.create(email, HASH)
        assert caught.value.field == "email"
        with pytest.raises(Conflict):
            await work.users.update("bo", email=email)
        assert (await work.users.update("ana", email=email)).email == "ana@example.com"

    await mode.write(people.root, attempt)
    assert len(await mode.read(people.root, lambda work: work.users.all())) == 4


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@b@example.com",
        "a\0@example.com",
        "x" * 400 + "@a.com",
        "\ud800@a.com",
    ],
)
async def test_what_is_no_address_is_refused(mode: Mode, people: People, email: str) -> None:
    """The error names the field and a remedy."""
    for attempt in (lambda work: work.users.create(email, HASH), lambda work: work.users.update("ana", email=email)):
        with pytest.raises(InvalidInput) as caught:
            await mode.write(people.root, attempt)
        assert caught.value.field == "email"
        assert caught.value.remedy


@pytest.mark.parametrize(
    "email", ["ana@studio.local", "ana@localhost", "ana@mail.test", "ana@example.org", "änne@bücher.example"]
)
async def test_addresses_of_a_house_of_its_own_are_good(mode: Mode, people: People, email: str) -> None:
    """No name is looked up, and reserved ones are what home networks use."""
    assert (await mode.write(people.root, lambda work: work.users.create(email, HASH))).email == email


async def test_the_hash_leaves_through_one_door(mode: Mode, people: People) -> None:
    """Not even an administrator gets it, and a user's representation has none."""
    made = await mode.write(people.root, lambda work: work.users.create("dora@example.com", HASH))
    known = await mode.read(ITSELF, lambda work: work.users.credentials("DORA@example.com"))
    assert known is not None
    assert (known.user, known.password_hash) == (made, HASH)
    assert HASH not in repr(known) + repr(made)
    for who in (people.ana, people.root):
        with pytest.raises(NotAllowed):
            await mode.read(who, lambda work: work.users.credentials("dora@example.com"))
    assert await mode.read(ITSELF, lambda work: work.users.credentials("system@system.invokeai")) is None


async def test_a_new_password_ends_all_tokens(mode: Mode, people: People) -> None:
    """In one statement; one that replaces another does so only while that is there."""
    changed = await mode.write(people.root, lambda work: work.users.set_password("ana", HASH))
    assert changed.token_epoch == 1
    changed = await mode.write(people.root, lambda work: work.users.set_password("ana", OTHER_HASH, replacing=HASH))
    assert changed.token_epoch == 2
    with pytest.raises(Conflict):
        await mode.write(people.root, lambda work: work.users.set_password("ana", HASH, replacing=HASH))
    with pytest.raises(InvalidInput):
        await mode.write(people.root, lambda work: work.users.set_password("ana", "Correct-Horse-9"))
    assert (await mode.write(people.root, lambda work: work.users.end_tokens("ana"))).token_epoch == 3


async def test_a_login_is_noted_as_invokeai_notes_it(mode: Mode, people: People) -> None:
    """With microseconds and offset."""
    noted = await mode.write(ITSELF, lambda work: work.users.touch_login("ana"))
    assert noted.last_login_at is not None
    assert noted.last_login_at.startswith("2026-11-23T12:00:00.0")
    assert noted.last_login_at.endswith("+00:00")


async def test_the_last_active_administrator_stays_one(mode: Mode, people: People) -> None:
    """Renaming is no loss, and a deactivated administrator does not count."""
    attempts: list[Change] = [
        lambda work: work.users.update("root", is_admin=False),
        lambda work: work.users.update("root", is_active=False),
        lambda work: work.users.delete("root"),
    ]
    await mode.write(people.root, lambda work: work.users.update("bo", is_admin=True, is_active=False))
    for attempt in attempts:
        with pytest.raises(LastAdministrator):
            await mode.write(people.root, attempt)
    await mode.write(people.root, lambda work: work.users.update("root", display_name="Boss"))
    await mode.write(people.root, lambda work: work.users.update("bo", is_active=True))
    assert await mode.read(people.root, lambda work: work.users.count_admins()) == 2
    demoted = await mode.write(people.root, lambda work: work.users.update("root", is_admin=False))
    assert not demoted.is_admin


async def test_the_system_user_is_there_and_stays_what_it_is(mode: Mode, people: People) -> None:
    """In every database from the start; it may be renamed."""
    system = await mode.read(people.root, lambda work: work.users.get("system"))
    assert (system.kind, system.email, system.is_admin) == (UserKind.SYSTEM, "system@system.invokeai", False)
    await _assert_protected(mode, people, "system")
    renamed = await mode.write(people.root, lambda work: work.users.update("system", display_name="Studio"))
    assert renamed.display_name == "Studio"


async def test_a_tombstone_is_nobody_again(mode: Mode, people: People, tombstone: str) -> None:
    """It cannot be given rights, an address or a password, but it may go once it owns nothing."""
    assert (await mode.read(people.root, lambda work: work.users.get(tombstone))).kind is UserKind.TOMBSTONE
    attempts: list[Change] = [
        lambda work: work.users.update(tombstone, is_admin=True),
        lambda work: work.users.update(tombstone, email="gone@example.com"),
        lambda work: work.users.set_password(tombstone, HASH),
    ]
    for attempt in attempts:
        with pytest.raises(ProtectedUser):
            await mode.write(people.root, attempt)
    await mode.write(people.root, lambda work: work.users.delete(tombstone))


async def test_only_a_user_without_rows_is_deleted(mode: Mode, people: People) -> None:
    """Otherwise their things would belong to nobody."""
    board = await mode.write(people.ana, lambda work: work.boards.create("Foxes"))
    with pytest.raises(Conflict):
        await mode.write(people.root, lambda work: work.users.delete("ana"))
    await mode.write(people.ana, lambda work: work.boards.delete(board.board_id))
    await mode.write(people.root, lambda work: work.users.delete("ana"))
    with pytest.raises(NotFound):
        await mode.write(people.root, lambda work: work.users.delete("ana"))


async def test_the_first_administrator_is_made_once(mode: Mode) -> None:
    """Whoever comes second is told."""
    made = await mode.write(ITSELF, lambda work: work.users.create_first_admin("root@example.com", HASH))
    assert made.is_admin
    with pytest.raises(Conflict):
        await mode.write(ITSELF, lambda work: work.users.create_first_admin("other@example.com", HASH))


async def _assert_protected(mode: Mode, people: People, user_id: str) -> None:
    attempts: list[Change] = [
        lambda work: work.users.update(user_id, is_admin=True),
        lambda work: work.users.update(user_id, is_active=False),
        lambda work: work.users.update(user_id, email="other@example.com"),
        lambda work: work.users.set_password(user_id, HASH),
        lambda work: work.users.delete(user_id),
    ]
    for attempt in attempts:
        with pytest.raises(ProtectedUser):
            await mode.write(people.root, attempt)


async def _create(email: str, work: UnitOfWork) -> User:
    return await work.users.create(email, HASH)


async def _respell(user_id: str, email: str, work: UnitOfWork) -> None:
    """An address as only an import brings it."""
    await work.ground.connection.execute(sa.update(users).where(users.c.user_id == user_id).values(email=email))


async def _walk(work: UnitOfWork) -> list[User]:
    part = await work.users.slice(limit=2)
    walked = part.items
    while part.next_cursor is not None:
        part = await work.users.slice(cursor=part.next_cursor, limit=2)
        walked = walked + part.items
    return walked
