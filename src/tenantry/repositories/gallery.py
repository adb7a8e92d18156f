"""The gallery: images and videos as one stream, by date, and in summary."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from tenantry.database.tables import boards, media
from tenantry.repositories.base import Ground, among
from tenantry.repositories.media_lists import ListKind, MediaLists
from tenantry.repositories.media_values import BoardSummary, GalleryDate, MediaKind, MediaQuery
from tenantry.tenancy.visibility import board_readable, owned

__all__ = ["Gallery"]

_GALLERY = ListKind("gallery", None, (media.c.kind, media.c.name), (str, str))

_VISIBLE = media.c.is_intermediate == sa.false()
_IS_IMAGE = media.c.kind == "image"
_GENERAL = media.c.category == "general"
_COUNTS = (
    sa.func.count().filter(sa.and_(_IS_IMAGE, _GENERAL)).label("image_count"),
    sa.func.count().filter(sa.and_(_IS_IMAGE, ~_GENERAL)).label("asset_count"),
    sa.func.count().filter(~_IS_IMAGE).label("video_count"),
)


class Gallery(MediaLists):
    """Both kinds in one order: creation time, then kind, then name."""

    __slots__ = ()

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, _GALLERY)

    async def item_names(self, query: MediaQuery) -> list[tuple[MediaKind, str]]:
        """Kind and name of every item in order, read from the index alone."""
        select = sa.select(media.c.kind, media.c.name).where(*await self._wanted(query)).order_by(*self._order(query))
        return [(row.kind, row.name) for row in await self._all(select)]

    async def dates(self, *, descending: bool = True, kind: MediaKind | None = None) -> list[GalleryDate]:
        """What was made on each UTC date, without intermediates; the cover is one's own newest (contract, section 4.4).

        With a `kind`, as if there were nothing else (contract, section 4.1).
        """
        rows = await self._all(_dates(self._everything, descending, kind))
        return [_gallery_date(*tuple(row)) for row in rows]

    async def summaries(self, board_ids: Sequence[str]) -> dict[str, BoardSummary]:
        """Counts and cover of each board; empty for one that is empty, not there, or not to be seen."""
        wanted = among(self._connection.dialect, boards.c.board_id, board_ids)
        chosen = sa.select(boards.c.board_id).where(wanted, board_readable(everything=self._everything))
        counts = (
            sa.select(media.c.board_id, *_COUNTS)
            .where(media.c.board_id.in_(chosen), _VISIBLE)
            .group_by(media.c.board_id)
            .subquery("counts")
        )
        covers = media.alias("covers")
        cover = (
            _cover(covers)
            .where(covers.c.board_id == counts.c.board_id)
            .order_by(covers.c.starred.desc(), covers.c.created_at.desc(), covers.c.kind.desc(), covers.c.name.desc())
        )
        query = sa.select(
            counts.c.board_id,
            counts.c.image_count,
            counts.c.asset_count,
            counts.c.video_count,
            cover.scalar_subquery().label("cover"),
        )
        rows = await self._all(query)
        found = {row[0]: _board_summary(*tuple(row)) for row in rows}
        return {board_id: found.get(board_id) or BoardSummary(board_id) for board_id in board_ids}


@cache
def _dates(everything: bool, descending: bool, kind: MediaKind | None) -> sa.Select[Any]:
    day = sa.func.substr(media.c.created_at, 1, 10)
    newest = sa.func.max(media.c.created_at).label("newest")
    mine = (owned(media, everything=everything), *_of_kind(media, kind))
    days = sa.select(day.label("date"), newest, *_COUNTS).where(*mine, _VISIBLE).group_by(day).subquery("days")
    covers = media.alias("covers")
    cover = (
        _cover(covers)
        .where(owned(covers, everything=everything), *_of_kind(covers, kind), covers.c.created_at == days.c.newest)
        .order_by(covers.c.kind.desc(), covers.c.name.desc())
        .scalar_subquery()
    )
    numbers = (days.c.date, days.c.image_count, days.c.asset_count, days.c.video_count)
    return sa.select(*numbers, cover.label("cover")).order_by(days.c.date.desc() if descending else days.c.date.asc())


def _of_kind(items: sa.FromClause, kind: MediaKind | None) -> list[sa.ColumnElement[bool]]:
    return [] if kind is None else [items.c.kind == kind]


def _cover(covers: sa.FromClause) -> sa.Select[Any]:
    """One item as "kind name", both in one column so that they come from the index alone and from the same row."""
    return sa.select(covers.c.kind + " " + covers.c.name).where(covers.c.is_intermediate == sa.false()).limit(1)


def _gallery_date(date: str, images: int, assets: int, videos: int, cover: str) -> GalleryDate:
    return GalleryDate(date, images, assets, videos, *_kind_and_name(cover))


def _board_summary(board_id: str, images: int, assets: int, videos: int, cover: str) -> BoardSummary:
    return BoardSummary(board_id, images, assets, videos, *_kind_and_name(cover))


def _kind_and_name(cover: str) -> tuple[MediaKind, str]:
    kind, name = cover.split(" ", 1)
    return cast("MediaKind", kind), name
