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


def _counts(items: sa.FromClause) -> tuple[sa.ColumnElement[int], ...]:
    """Images of category `general`, other images, videos."""
    is_image, general = items.c.kind == "image", items.c.category == "general"
    return (
        sa.func.count().filter(sa.and_(is_image, general)).label("image_count"),
        sa.func.count().filter(sa.and_(is_image, ~general)).label("asset_count"),
        sa.func.count().filter(~is_image).label("video_count"),
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
        return [found for row in rows if (found := _gallery_date(*tuple(row)))]

    async def summaries(self, board_ids: Sequence[str]) -> dict[str, BoardSummary]:
        """Counts and cover of each board; empty for one that is empty, not there, or not to be seen."""
        wanted = among(self._connection.dialect, boards.c.board_id, board_ids)
        chosen = sa.select(boards.c.board_id).where(wanted, board_readable(everything=self._everything))
        counts = (
            sa.select(media.c.board_id, *_counts(media))
            .where(media.c.board_id.in_(chosen), _VISIBLE)
            .group_by(media.c.board_id)
            .subquery("counts")
        )
        covers = media.alias("covers")
        cover = (
            sa.select(_packed_cover(covers))
            .where(covers.c.board_id == counts.c.board_id, covers.c.is_intermediate == sa.false())
            .order_by(covers.c.starred.desc(), covers.c.created_at.desc(), covers.c.kind.desc(), covers.c.name.desc())
            .limit(1)
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
    """Steps from each date to the one before it in the index of times, and counts each in its own stretch of it.

    Grouping by a part of the time would sort every row first. A date on which only intermediates were made has no cover.
    """
    newest, earlier, counted, covers = (media.alias(name) for name in ("newest", "earlier", "counted", "covers"))
    days = _date_of(sa.func.max(newest.c.created_at)).where(owned(newest, everything=everything)).cte("days", recursive=True)
    before = _date_of(sa.func.max(earlier.c.created_at)).where(
        owned(earlier, everything=everything), earlier.c.created_at < days.c.date
    )
    days = days.union_all(sa.select(before.scalar_subquery()).where(days.c.date.is_not(None)))
    counts = _made_on(days.c.date, counted, _packed_counts(counted), everything, kind)
    cover = _made_on(days.c.date, covers, _packed_cover(covers), everything, kind).limit(1)
    cover = cover.order_by(covers.c.created_at.desc(), covers.c.kind.desc(), covers.c.name.desc())
    columns = (days.c.date, counts.scalar_subquery().label("counts"), cover.scalar_subquery().label("cover"))
    order = days.c.date.desc() if descending else days.c.date.asc()
    return sa.select(*columns).where(days.c.date.is_not(None)).order_by(order)


def _date_of(moment: sa.ColumnElement[str]) -> sa.Select[Any]:
    return sa.select(sa.func.substr(moment, 1, 10).label("date"))


def _made_on(
    date: sa.ColumnElement[str], items: sa.FromClause, column: sa.ColumnElement[str], everything: bool, kind: MediaKind | None
) -> sa.Select[Any]:
    """What one may list of a date; a tilde sorts after everything that can follow a date."""
    return sa.select(column).where(
        owned(items, everything=everything),
        *_of_kind(items, kind),
        items.c.created_at >= date,
        items.c.created_at < date + "~",
        items.c.is_intermediate == sa.false(),
    )


def _of_kind(items: sa.FromClause, kind: MediaKind | None) -> list[sa.ColumnElement[bool]]:
    return [] if kind is None else [items.c.kind == kind]


def _packed_cover(covers: sa.FromClause) -> sa.ColumnElement[str]:
    """One item as "kind name", both in one column so that they come from the index alone and from the same row."""
    packed: sa.ColumnElement[str] = covers.c.kind + " " + covers.c.name
    return packed


def _packed_counts(items: sa.FromClause) -> sa.ColumnElement[str]:
    """The three counts in one column, because a sub-select has no more."""
    images, assets, videos = (sa.cast(sa.type_coerce(count, sa.Integer), sa.Text) for count in _counts(items))
    return images + " " + assets + " " + videos


def _gallery_date(date: str, counts: str, cover: str | None) -> GalleryDate | None:
    if cover is None:
        return None
    images, assets, videos = counts.split()
    return GalleryDate(date, int(images), int(assets), int(videos), *_kind_and_name(cover))


def _board_summary(board_id: str, images: int, assets: int, videos: int, cover: str) -> BoardSummary:
    return BoardSummary(board_id, images, assets, videos, *_kind_and_name(cover))


def _kind_and_name(cover: str) -> tuple[MediaKind, str]:
    kind, name = cover.split(" ", 1)
    return cast("MediaKind", kind), name
