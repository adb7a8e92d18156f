"""Images and videos, one by one and in bulk."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from tenantry.database.tables import boards, media
from tenantry.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tenantry.repositories.base import Ground, among
from tenantry.repositories.changes import MediaDeleted, MediaMoved, MediaSaved, MediaUpdated
from tenantry.repositories.checks import MAX_NAME, check_json, check_name, check_text
from tenantry.repositories.media_lists import ITEM_COLUMNS, ListKind, MediaLists, media_item
from tenantry.repositories.media_values import MediaItem, MediaKind, MediaQuery
from tenantry.tenancy import InternalReason
from tenantry.tenancy.visibility import board_readable, board_writable, media_readable, media_writable, owned

__all__ = ["MediaRepository"]

Rows = Sequence[sa.Row[Any]]

_IMAGES = ListKind("images", "image", (media.c.media_id,), (int,))
_VIDEOS = ListKind("videos", "video", (media.c.name,), (str,))

_PLACE = (media.c.name, media.c.user_id, media.c.board_id)
"""Which item, whose, and where: what changes are told by."""


class MediaRepository(MediaLists):
    """The images, or the videos, that a principal may see, and the changes that it may make to them."""

    __slots__ = ("_kind",)

    def __init__(self, ground: Ground, kind: MediaKind) -> None:
        super().__init__(ground, _IMAGES if kind == "image" else _VIDEOS)
        self._kind: MediaKind = kind

    async def save(
        self,
        name: str,
        *,
        origin: str,
        category: str,
        width: int,
        height: int,
        is_intermediate: bool = False,
        starred: bool = False,
        has_workflow: bool = False,
        session_id: str | None = None,
        node_id: str | None = None,
        metadata: str | None = None,
        subfolder: str = "",
        duration: float | None = None,
        fps: float | None = None,
        board_id: str | None = None,
    ) -> str:
        """Record a new item of one's own; answers its creation time.

        Saving a name again changes nothing and answers the first time (contract, section 4.1). Raises `InvalidInput`,
        `NotFound` or `NotAllowed` for the board, and `Conflict` for a name that is somebody else's.
        """
        self._check_new(name, origin, category, width, height, duration, fps)
        if metadata is not None:
            check_json(metadata, "metadata")
        for field, value in (("session_id", session_id), ("node_id", node_id), ("subfolder", subfolder)):
            check_text(value or "", field, most=MAX_NAME)
        if board_id is not None:
            await self._check_board(board_id)
        now = self._now()
        insert = self._insert_into(media).on_conflict_do_nothing(index_elements=["name", "kind"]).returning(media.c.created_at)
        values = dict(
            kind=self._kind,
            name=name,
            user_id=self._me,
            board_id=board_id,
            boarded_at=None if board_id is None else now,
            origin=origin,
            category=category,
            width=width,
            height=height,
            duration=duration if self._kind == "image" else duration or 0.0,
            fps=fps,
            session_id=session_id,
            node_id=node_id,
            is_intermediate=is_intermediate,
            starred=starred,
            has_workflow=has_workflow,
            subfolder=subfolder,
            created_at=now,
            updated_at=now,
            metadata=metadata,
        )
        if await self._connection.fetch_one(insert, values) is not None:
            self._record(MediaSaved(self._me, self._kind, name, board_id))
            return now
        stored = sa.select(media.c.created_at).where(*self._named(name), owned(media, everything=self._everything))
        first: str | None = await self._value(stored)
        if first is None:
            raise Conflict("This name is taken.", field="name", remedy="Choose another name.")
        return first

    async def get(self, name: str) -> MediaItem:
        """One item. Raises `NotFound`."""
        row = await self._one(_get(self._everything), kind=self._kind, name=name)
        if row is None:
            raise NotFound(self._kind)
        return media_item(row)

    async def many(self, names: Sequence[str]) -> list[MediaItem]:
        """The items of these names in this order; those that may not be seen are left out."""
        wanted = sa.and_(media.c.kind == self._kind, among(self._connection.dialect, media.c.name, names))
        rows = await self._all(sa.select(*ITEM_COLUMNS).where(wanted, media_readable(everything=self._everything)))
        found = {row.name: media_item(row) for row in rows}
        return [found[name] for name in names if name in found]

    async def exists(self, name: str) -> bool:
        """Whether there is such an item that the principal may see."""
        return await self._one(_exists(self._everything), kind=self._kind, name=name) is not None

    async def metadata(self, name: str) -> str | None:
        """The metadata as the JSON text that was saved, or None. Raises `NotFound`."""
        row = await self._one(_metadata(self._everything), kind=self._kind, name=name)
        if row is None:
            raise NotFound(self._kind)
        text: str | None = row[0]
        return text

    async def update(
        self,
        name: str,
        *,
        category: str | None = None,
        session_id: str | None = None,
        is_intermediate: bool | None = None,
        starred: bool | None = None,
    ) -> MediaItem:
        """Change what is given. Raises `NotFound`, `NotAllowed` or `InvalidInput`."""
        changes: dict[str, object] = {"updated_at": self._now()}
        if category is not None:
            changes["category"] = check_name(category, "category")
        if session_id is not None:
            changes["session_id"] = check_text(session_id, "session_id", most=MAX_NAME)
        if is_intermediate is not None:
            changes["is_intermediate"] = is_intermediate
        if starred is not None:
            changes["starred"] = starred
        writable = media_writable(everything=self._everything)
        change = sa.update(media).where(*self._named(name), writable).values(changes).returning(*ITEM_COLUMNS)
        row = await self._one(change)
        if row is None:
            raise await self._refuse(self._kind, _exists(self._everything), kind=self._kind, name=name)
        self._updated([row])
        return media_item(row)

    async def star(self, names: Sequence[str], *, starred: bool = True) -> list[str]:
        """Star or unstar; answers the names that the principal may change, the others are left as they are."""
        change = sa.update(media).where(*self._changeable(names)).values(starred=starred, updated_at=self._now())
        return _names(self._updated(_in_order(names, await self._all(change.returning(*_PLACE)))))

    async def delete(self, names: Sequence[str]) -> list[str]:
        """Delete the records; answers the names that are gone, whose files are to be deleted. The others are left."""
        gone = sa.delete(media).where(*self._changeable(names)).returning(*_PLACE)
        return _names(self._deleted(_in_order(names, await self._all(gone))))

    async def put_on_board(self, names: Sequence[str], board_id: str) -> list[str]:
        """Put one's own items on a board; answers the names that are on it now. Others' items are left where they are.

        Raises `NotFound` or `NotAllowed` for the board.
        """
        await self._check_board(board_id)
        mine = owned(media, everything=self._everything)
        # Locked, so that each is known to leave the board that it was found on.
        found = await self._all(sa.select(*_PLACE).where(*self._listed_names(names), mine).with_for_update())
        rows = _in_order(names, found)
        moving = [row for row in rows if row.board_id != board_id]
        if moving:
            # Moving on keeps the time of the first board, as InvokeAI does (contract, section 4.2).
            boarded_at = sa.case((media.c.board_id.is_not(None), media.c.boarded_at), else_=self._now())
            change = sa.update(media).where(*self._listed_names(_names(moving)), mine)
            await self._do(change.values(board_id=board_id, boarded_at=boarded_at))
        self._moved(moving, board_id)
        return _names(rows)

    async def take_off_board(self, names: Sequence[str], *, board_id: str | None = None) -> list[str]:
        """Take one's own items, and others' from boards that one may write, off their boards (or off this one only).

        Answers the names that were taken off.
        """
        on_board = media.c.board_id.is_not(None) if board_id is None else media.c.board_id == board_id
        # Locked, so that an owner who moves an item at this moment keeps it where they put it.
        found = await self._all(sa.select(*_PLACE).where(*self._changeable(names), on_board).with_for_update())
        rows = _in_order(names, found)
        allowed = _names(rows)
        if not allowed:
            return []
        async with self._ground.elevated(InternalReason.TAKE_OFF_BOARD):
            change = sa.update(media).where(*self._listed_names(allowed), on_board).values(board_id=None, boarded_at=None)
            await self._connection.execute(change)
        self._moved(rows, None)
        return allowed

    async def most_recent_of_board(self, board_id: str) -> MediaItem | None:
        """What stands for a board: starred before others, newest first, no intermediates."""
        found = await self.slice(MediaQuery(board=board_id, is_intermediate=False), limit=1)
        return found.items[0] if found.items else None

    async def intermediates(self) -> list[tuple[str, str]]:
        """Name and subfolder of one's own intermediates."""
        query = (
            sa.select(media.c.name, media.c.subfolder)
            .where(*self._own_intermediates())
            .order_by(media.c.user_id, media.c.media_id)
        )
        return [(row.name, row.subfolder) for row in await self._all(query)]

    async def count_intermediates(self) -> int:
        """How many intermediates one has."""
        return int(await self._value(sa.select(sa.func.count()).select_from(media).where(*self._own_intermediates())))

    async def delete_intermediates(self, names: Sequence[str]) -> list[str]:
        """Delete those of one's own items that are still intermediates at this moment; answers their names."""
        wanted = among(self._connection.dialect, media.c.name, names)
        gone = sa.delete(media).where(wanted, *self._own_intermediates()).returning(*_PLACE)
        return _names(self._deleted(_in_order(names, await self._all(gone))))

    def _updated(self, rows: Rows) -> Rows:
        self._record(*(MediaUpdated(owner, self._kind, names, board) for owner, board, names in _by_place(rows)))
        return rows

    def _deleted(self, rows: Rows) -> Rows:
        self._record(*(MediaDeleted(owner, self._kind, names, board) for owner, board, names in _by_place(rows)))
        return rows

    def _moved(self, rows: Rows, board_id: str | None) -> None:
        self._record(*(MediaMoved(owner, self._kind, names, before, board_id) for owner, before, names in _by_place(rows)))

    def _named(self, name: str) -> tuple[sa.ColumnElement[bool], ...]:
        return media.c.kind == self._kind, media.c.name == name

    def _listed_names(self, names: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
        return media.c.kind == self._kind, among(self._connection.dialect, media.c.name, names)

    def _changeable(self, names: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
        return *self._listed_names(names), media_writable(everything=self._everything)

    def _own_intermediates(self) -> tuple[sa.ColumnElement[bool], ...]:
        mine = owned(media, everything=self._everything)
        return mine, media.c.kind == self._kind, media.c.is_intermediate == sa.true()

    async def _check_board(self, board_id: str) -> None:
        writable = board_writable(everything=self._everything)
        query = sa.select(writable).where(boards.c.board_id == board_id, board_readable(everything=self._everything))
        row = await self._one(query)
        if row is None:
            raise NotFound("board", field="board_id")
        if not row[0]:
            raise NotAllowed("You may see this board but not put anything on it.", field="board_id")

    def _check_new(
        self, name: str, origin: str, category: str, width: int, height: int, duration: float | None, fps: float | None
    ) -> None:
        check_name(name, "name")
        check_name(origin, "origin")
        check_name(category, "category")
        for field, size in (("width", width), ("height", height)):
            if not 0 <= size < 2**31:
                raise InvalidInput("This is not a number of pixels.", field=field)
        if self._kind == "image" and duration is not None:
            raise InvalidInput("An image has no duration.", field="duration")
        for field, number in (("duration", duration), ("fps", fps)):
            if number is not None and not (math.isfinite(number) and number >= 0):
                raise InvalidInput("This is not a length or rate.", field=field)


@cache
def _get(everything: bool) -> Select[Any]:
    return _one_of(*ITEM_COLUMNS, everything=everything)


@cache
def _exists(everything: bool) -> Select[Any]:
    return _one_of(media.c.media_id, everything=everything)


@cache
def _metadata(everything: bool) -> Select[Any]:
    return _one_of(media.c.metadata, everything=everything)


def _one_of(*columns: sa.ColumnElement[Any], everything: bool) -> Select[Any]:
    named = sa.and_(media.c.name == sa.bindparam("name"), media.c.kind == sa.bindparam("kind"))
    return sa.select(*columns).where(named, media_readable(everything=everything))


def _in_order(names: Sequence[str], rows: Rows) -> Rows:
    found = {row.name: row for row in rows}
    return [found[name] for name in dict.fromkeys(names) if name in found]


def _names(rows: Rows) -> list[str]:
    return [row.name for row in rows]


def _by_place(rows: Rows) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Whose, on which board, and the names of those."""
    places: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        places.setdefault((row.user_id, row.board_id), []).append(row.name)
    for (owner, board), names in places.items():
        yield owner, board, tuple(names)
