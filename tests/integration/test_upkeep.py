"""A server brings the text index up to date by itself."""

from tenantry import InternalReason, Principal, Studio
from tenantry.api.upkeep import upkeep
from tests.integration.conftest import People
from tests.waiting import until_awaited

INDEXER = Principal.internal(InternalReason.INDEX_SEARCH)


async def test_new_rows_are_indexed_in_the_background(studio: Studio, people: People) -> None:
    """What was saved before and while the server runs is indexed soon after."""
    await _save(studio, people.ana, "before")
    async with upkeep(studio, idle=0.01):
        await until_awaited(lambda: _nothing_pending(studio))
        await _save(studio, people.ana, "meanwhile")
        await until_awaited(lambda: _nothing_pending(studio))
    assert await _nothing_pending(studio)


async def _save(studio: Studio, who: Principal, name: str) -> None:
    async with studio.begin(who) as work:
        await work.images.save(name, origin="internal", category="general", width=1, height=1, metadata='{"p": "fox"}')


async def _nothing_pending(studio: Studio) -> bool:
    async with studio.read(INDEXER) as work:
        return await work.search_index.pending() == 0
