"""Changes to many images or videos at once. Names that one may not change are left out of the answer and left as they are."""

import asyncio
from collections.abc import Sequence

import structlog

from tenantry.api.caller import Caller
from tenantry.api.files import MediaFiles
from tenantry.errors import NotAllowed
from tenantry.repositories import UNCATEGORIZED, MediaItem, MediaQuery, MediaRepository
from tenantry.repositories.ownership import MediaFile
from tenantry.repositories.pages import MAX_LIMIT

__all__ = ["Changed", "delete", "delete_files", "delete_uncategorized", "put_on_board", "require", "star", "take_off_board"]

Changed = tuple[list[str], list[str]]
"""The names that were changed, and the boards whose contents changed."""

_log = structlog.get_logger("tenantry.api")


async def star(media: MediaRepository, names: Sequence[str], *, starred: bool) -> Changed:
    """Star or unstar."""
    items = await media.many(list(dict.fromkeys(names)))
    changed = await media.star(names, starred=starred)
    return changed, _boards_of(items, changed)


async def delete(media: MediaRepository, names: Sequence[str]) -> tuple[Changed, list[MediaItem]]:
    """Delete records; also answers the items whose files are to be deleted once this is committed."""
    items = await media.many(list(dict.fromkeys(names)))
    changed = await media.delete(names)
    gone = set(changed)
    return (changed, _boards_of(items, changed)), [item for item in items if item.name in gone]


async def delete_uncategorized(media: MediaRepository) -> tuple[Changed, list[MediaItem]]:
    """Delete the records of everything of one's own that is on no board."""
    deleted: list[str] = []
    gone: list[MediaItem] = []
    names = (await media.names(MediaQuery(board=UNCATEGORIZED))).names
    for start in range(0, len(names), MAX_LIMIT):
        (some, _), items = await delete(media, names[start : start + MAX_LIMIT])
        deleted += some
        gone += items
    return (deleted, [UNCATEGORIZED] if deleted else []), gone


async def put_on_board(media: MediaRepository, names: Sequence[str], board_id: str) -> Changed:
    """Put one's own items on a board. Raises `NotFound` or `NotAllowed` for the board."""
    items = await media.many(list(dict.fromkeys(names)))
    changed = await media.put_on_board(names, board_id)
    return changed, sorted({*_boards_of(items, changed), board_id} if changed else set())


async def take_off_board(media: MediaRepository, names: Sequence[str]) -> Changed:
    """Take items off their boards; those that are on none count as done."""
    items = await media.many(list(dict.fromkeys(names)))
    changed = set(await media.take_off_board(names))
    done = [item for item in items if item.name in changed or item.board_id is None]
    affected = {UNCATEGORIZED, *(item.board_id or UNCATEGORIZED for item in done)} if done else set()
    return [item.name for item in done], sorted(affected)


async def require(media: MediaRepository, name: str, changed: Changed, kind: str) -> Changed:
    """The change, if the one item was changed. Raises `NotFound` or `NotAllowed`."""
    if name not in changed[0]:
        await media.get(name)
        raise NotAllowed(f"You may see this {kind} but not change it.")
    return changed


async def delete_files(caller: Caller, items: Sequence[MediaItem | MediaFile]) -> None:
    """Delete the files of records that are gone for good; one that cannot be deleted is only logged."""
    await asyncio.to_thread(_delete_files, MediaFiles(caller.settings.outputs_folder), items)


def _delete_files(files: MediaFiles, items: Sequence[MediaItem | MediaFile]) -> None:
    for item in items:
        try:
            files.delete(item)
        except OSError as error:
            _log.warning("file not deleted", kind=item.kind, name=item.name, reason=error.strerror)


def _boards_of(items: Sequence[MediaItem], changed: Sequence[str]) -> list[str]:
    names = set(changed)
    return sorted({item.board_id or UNCATEGORIZED for item in items if item.name in names})
