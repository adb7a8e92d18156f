"""What a server does beside answering requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from tenantry.errors import TenantryError
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["index_search", "upkeep"]

_STEP = 50
"""Rows of one step; the writer is held for some 20 ms meanwhile."""

_log = structlog.get_logger()


@asynccontextmanager
async def upkeep(studio: Studio, *, idle: float = 2.0) -> AsyncIterator[None]:
    """Keep the text index up to date for as long as the block runs, looking for new rows every `idle` seconds."""
    stopping = asyncio.Event()
    duty = asyncio.create_task(_keep_indexing(studio, stopping, idle), name="tenantry-search-index")
    try:
        yield
    finally:
        stopping.set()
        await duty


async def index_search(studio: Studio, *, most: int = _STEP) -> int:
    """Add up to `most` rows to the text index in a transaction of its own; answers how many."""
    async with studio.begin(Principal.internal(InternalReason.INDEX_SEARCH)) as work:
        return await work.search_index.index(most)


async def _keep_indexing(studio: Studio, stopping: asyncio.Event, idle: float) -> None:
    if studio.database.dialect != "sqlite":
        return
    while not stopping.is_set():
        try:
            added = await _step(studio)
        except TenantryError as error:
            _log.warning("the search index was not brought up to date", error=str(error))
            added = 0
        with suppress(TimeoutError):
            # Between two steps every other writer gets its turn.
            await asyncio.wait_for(stopping.wait(), 0 if added else idle)


async def _step(studio: Studio) -> int:
    async with studio.read(Principal.internal(InternalReason.INDEX_SEARCH)) as work:
        if not await work.search_index.pending():
            return 0
    return await index_search(studio)
