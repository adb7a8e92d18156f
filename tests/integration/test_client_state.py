"""Client state, on both databases and in both modes."""

from functools import partial

import pytest

from tenantry import Principal
from tenantry.errors import IntegrityViolation, InvalidInput
from tenantry.repositories import UnitOfWork
from tests.integration.conftest import Mode, People


async def put(mode: Mode, who: Principal, key: str, value: str = "v") -> str:
    return await mode.write(who, lambda work: work.client_state.set(key, value))


async def get(mode: Mode, who: Principal, key: str) -> str | None:
    return await mode.read(who, lambda work: work.client_state.get(key))


async def keys(mode: Mode, who: Principal, prefix: str = "") -> list[str]:
    return await mode.read(who, lambda work: work.client_state.keys_with_prefix(prefix))


async def test_a_value_is_written_over_and_read_back(mode: Mode, people: People) -> None:
    """None before it was set; writing answers what was written."""
    assert await get(mode, people.ana, "canvas") is None
    assert await put(mode, people.ana, "canvas", "one") == "one"
    assert await put(mode, people.ana, "canvas", "") == ""
    assert await get(mode, people.ana, "canvas") == ""


async def test_a_value_of_many_megabytes_comes_back_whole(mode: Mode, people: People) -> None:
    """A canvas with its layers is kept as one text."""
    value = "fox ü " * 1_000_000
    await put(mode, people.ana, "canvas", value)
    assert await get(mode, people.ana, "canvas") == value


async def test_state_is_ones_own_even_for_an_administrator(mode: Mode, people: People) -> None:
    """The same key is another's value for another user, and clearing one's state leaves theirs."""
    for who, value in ((people.ana, "a"), (people.bo, "b"), (people.root, "r")):
        await put(mode, who, "canvas", value)
    assert [await get(mode, who, "canvas") for who in (people.ana, people.bo, people.root)] == ["a", "b", "r"]
    await mode.write(people.root, lambda work: work.client_state.clear())
    await mode.write(people.bo, lambda work: work.client_state.delete("canvas"))
    assert await keys(mode, people.root) == await keys(mode, people.bo) == []
    assert await get(mode, people.ana, "canvas") == "a"
    assert await keys(mode, people.cy) == []


async def test_keys_are_listed_by_prefix_with_the_last_written_first(mode: Mode, people: People) -> None:
    """ASCII letters in either case; every other character means itself."""
    for key in ("recall_1", "Recall_2", "recallX3", "100%", "100x", "recall_1"):
        await put(mode, people.ana, key)
    assert await keys(mode, people.ana, "recall_") == ["recall_1", "Recall_2"]
    assert await keys(mode, people.ana, "100%") == ["100%"]
    assert await keys(mode, people.ana, "ecall") == []
    assert await keys(mode, people.ana) == ["recall_1", "100x", "100%", "recallX3", "Recall_2"]


async def test_forgetting_what_is_not_there_is_no_error(mode: Mode, people: People) -> None:
    """One key goes at a time, or all."""
    for key in "ab":
        await put(mode, people.ana, key)
    for key in ("a", "a", "z"):
        await mode.write(people.ana, partial(_delete, key))
    assert await keys(mode, people.ana) == ["b"]
    for _ in range(2):
        await mode.write(people.ana, lambda work: work.client_state.clear())
    assert await keys(mode, people.ana) == []


async def _delete(key: str, work: UnitOfWork) -> None:
    await work.client_state.delete(key)


async def test_a_user_who_is_not_there_keeps_nothing(mode: Mode, people: People) -> None:
    """The database refuses it."""
    with pytest.raises(IntegrityViolation):
        await put(mode, Principal("nobody"), "canvas")


@pytest.mark.parametrize(("key", "value", "field"), [("x" * 301, "v", "key"), ("a\0", "v", "key"), ("k", "a\0", "value")])
async def test_state_that_cannot_be_is_refused(mode: Mode, people: People, key: str, value: str, field: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput) as caught:
        await put(mode, people.ana, key, value)
    assert caught.value.field == field
    assert await keys(mode, people.ana) == []
