"""Search finds exactly the rows that contain the term, whether they are in the text index yet or not."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantry import InternalReason, Principal, Studio
from tenantry.errors import InvalidInput
from tenantry.repositories import MediaQuery, UnitOfWork
from tests.integration.conftest import Mode, People

INDEXER = Principal.internal(InternalReason.INDEX_SEARCH)

PROMPTS = {
    "fox": "A red FOX in the snow",
    "percent": "100% fox_y",
    "quote": 'say "fox" \\ or not',
    "umlaut": "Ein GRÜNER Fuchs",
    "wolf": "a grey wolf",
}


async def save(mode: Mode, who: Principal, prompts: dict[str, str]) -> None:
    for name, prompt in prompts.items():

        async def operation(work: UnitOfWork, name: str = name, prompt: str = prompt) -> str:
            text = json.dumps({"p": prompt}, ensure_ascii=False)
            return await work.images.save(name, origin="internal", category="general", width=1, height=1, metadata=text)

        await mode.write(who, operation)


async def found(mode: Mode, who: Principal, term: str) -> set[str]:
    query = MediaQuery(search=term)
    page = await mode.read(who, lambda work: work.images.page(query))
    assert page.total == len(page.items)
    walked = await mode.read(who, lambda work: work.images.slice(query))
    assert walked.items == page.items
    assert (await mode.read(who, lambda work: work.images.names(query))).names == [item.name for item in page.items]
    return {item.name for item in page.items}


@pytest.mark.parametrize("indexed", [0, 2, 5])
async def test_a_term_is_a_substring_without_regard_to_ascii_case(mode: Mode, people: People, indexed: int) -> None:
    """Wildcards mean themselves, and it does not matter how far the text index has come."""
    await save(mode, people.ana, PROMPTS)
    if indexed:
        await mode.write(INDEXER, lambda work: work.search_index.index(indexed))
    expected = {
        "fox": {"fox", "percent", "quote"},
        "RED fox": {"fox"},
        "0%": {"percent"},
        "0% f": {"percent"},
        "x_y": {"percent"},
        "f_x": set(),
        "fo%": set(),
        "GRÜN": {"umlaut"},
        "grün": set(),
        "gr": {"umlaut", "wolf"},
        '\\"fox\\"': {"quote"},
        "a grey wolf": {"wolf"},
        "a grey wolf and more": set(),
        "2026-11-23": set(PROMPTS),
        "11-23 12:00": set(PROMPTS),
        "2025-": set(),
        "  ": set(PROMPTS),
    }
    for term, names in expected.items():
        assert await found(mode, people.ana, term) == names, term


async def test_search_stays_within_what_one_may_list(mode: Mode, people: People) -> None:
    """A stranger's prompt is not found by others, and is found by an administrator."""
    await save(mode, people.ana, {"a": "a purple heron"})
    await save(mode, people.bo, {"b": "a purple heron"})
    await mode.write(INDEXER, lambda work: work.search_index.index(10))
    assert await found(mode, people.ana, "heron") == {"a"}
    assert await found(mode, people.cy, "heron") == set()
    assert await found(mode, people.root, "heron") == {"a", "b"}


async def test_what_was_deleted_is_not_found_again(mode: Mode, people: People) -> None:
    """The text index may still hold a row that is gone; its number is never used again."""
    await save(mode, people.ana, {"a": "a purple heron"})
    await mode.write(INDEXER, lambda work: work.search_index.index(10))
    await mode.write(people.ana, lambda work: work.images.delete(["a"]))
    await save(mode, people.ana, {"b": "a green heron"})
    assert await found(mode, people.ana, "purple") == set()
    assert await found(mode, people.ana, "heron") == {"b"}


async def test_the_index_comes_up_to_date_in_steps(mode: Mode, people: People) -> None:
    """Each step takes as many rows as it may; PostgreSQL has nothing to do."""
    await save(mode, people.ana, PROMPTS)
    sqlite = mode.studio.database.dialect == "sqlite"
    assert await mode.read(INDEXER, lambda work: work.search_index.pending()) == (5 if sqlite else 0)
    steps = [await mode.write(INDEXER, lambda work: work.search_index.index(2)) for _ in range(4)]
    assert steps == ([2, 2, 1, 0] if sqlite else [0, 0, 0, 0])
    assert await mode.read(INDEXER, lambda work: work.search_index.pending()) == 0


@pytest.mark.parametrize("term", ["a\0b", "x" * 1001, "\ud800"])
async def test_a_term_that_cannot_be_is_refused(mode: Mode, people: People, term: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput) as caught:
        await mode.read(people.ana, lambda work: work.images.page(MediaQuery(search=term)))
    assert caught.value.field == "search_term"


LETTERS = st.text(alphabet="abAB%_\\\"' é0-:" + string.punctuation[:5], max_size=12)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompts=st.lists(LETTERS, min_size=1, max_size=6), term=LETTERS.filter(str.strip), indexed=st.integers(0, 6))
async def test_search_agrees_with_a_plain_comparison(
    studio: Studio, people: People, prompts: list[str], term: str, indexed: int
) -> None:
    """Whatever the texts and the term are, search answers what comparing each text with the term answers."""
    mode = Mode(studio, "direct")
    await mode.write(people.root, lambda work: _forget(work))
    texts = {f"n{number}": prompt for number, prompt in enumerate(prompts)}
    await save(mode, people.ana, texts)
    await mode.write(INDEXER, lambda work: work.search_index.index(indexed)) if indexed else None
    fold = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
    page = (await mode.read(people.ana, lambda work: work.images.page(MediaQuery()))).items
    wanted = {
        item.name
        for item in page
        if term.translate(fold) in json.dumps({"p": texts[item.name]}, ensure_ascii=False).translate(fold)
        or (set(term) <= set("0123456789:. -") and term in item.created_at)
    }
    assert await found(mode, people.ana, term) == wanted


async def _forget(work: UnitOfWork) -> list[str]:
    return await work.images.delete((await work.images.names(MediaQuery())).names)
