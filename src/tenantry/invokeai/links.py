"""The rows of an import that point at other rows: what lies on which board, covers, shares, relations, the move journal."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tenantry.database.tables import boards, media, models, move_jobs
from tenantry.invokeai import mapping as maps
from tenantry.invokeai import schema as theirs
from tenantry.invokeai.bringing import Bringing, Resolve
from tenantry.invokeai.mapping import Mapping, Row
from tenantry.invokeai.residue import Residue, differences, mended
from tenantry.invokeai.writer import conflict
from tenantry.repositories.base import among

__all__ = ["bring_gallery", "resolve_move_items", "resolve_relationships", "resolve_shares"]

_COVER = "cover_image_name"


async def bring_gallery(bringing: Bringing) -> None:
    """Boards, then the images and videos on them, then the boards' covers."""
    newest = await bringing.connection.fetch_value(sa.select(sa.func.coalesce(sa.func.max(boards.c.sequence), 0)))
    await bringing.bring(maps.BOARDS)
    for items, memberships in ((maps.IMAGES, maps.BOARD_IMAGES), (maps.VIDEOS, maps.BOARD_VIDEOS)):
        await bringing.bring(items, resolve=_on_boards(bringing, items, memberships), key=("name", "kind"))
        stray = sa.or_(_points_at_nothing(memberships, items), _points_at_nothing(memberships, maps.BOARDS))
        await bringing.set_aside(memberships.source, memberships.name, memberships.key, only=stray)
    for originals in bringing.reader.batches(theirs.boards, maps.BOARDS.key):
        await _cover(bringing, originals, newest)


def resolve_shares(bringing: Bringing) -> Resolve:
    """Shares carry their board's owner."""

    async def resolve(_: list[Row], rows: list[Row]) -> list[Row | None]:
        owners = await _lookup(bringing, boards.c.board_id, boards.c.user_id, [row["board_id"] for row in rows])
        return [{**row, "owner_id": owners[row["board_id"]]} if row["board_id"] in owners else None for row in rows]

    return resolve


def resolve_relationships(bringing: Bringing) -> Resolve:
    """Relations have a place when both models exist and are named in order."""

    async def resolve(_: list[Row], rows: list[Row]) -> list[Row | None]:
        keys = [row[name] for row in rows for name in ("model_key_1", "model_key_2")]
        known = await _lookup(bringing, models.c.model_key, models.c.model_key, keys)
        return [row if _related(row, known) else None for row in rows]

    return resolve


def resolve_move_items(bringing: Bringing) -> Resolve:
    """Entries of the move journal name their image by number."""

    async def resolve(originals: list[Row], rows: list[Row]) -> list[Row | None]:
        images = await _images(bringing, [original["image_name"] for original in originals])
        jobs = await _lookup(bringing, move_jobs.c.job_id, move_jobs.c.job_id, [row["job_id"] for row in rows])
        return [
            {**row, "media_id": images[original["image_name"]]}
            if original["image_name"] in images and row["job_id"] in jobs
            else None
            for original, row in zip(originals, rows, strict=True)
        ]

    return resolve


def _on_boards(bringing: Bringing, items: Mapping, memberships: Mapping) -> Resolve:
    (item,) = items.key

    async def resolve(originals: list[Row], rows: list[Row]) -> list[Row | None]:
        found = bringing.reader.matching(memberships.source, item, [original[item] for original in originals])
        known = bringing.reader.present(theirs.boards.c.board_id, [each["board_id"] for each in found])
        placed = {each[item]: each for each in found if each["board_id"] in known}
        brought = {name: memberships.bring(each) for name, each in placed.items()}
        await _count_memberships(bringing, items, memberships, brought)
        residue = [each for name, original in placed.items() for each in differences(memberships, original, brought[name])]
        await bringing.mend(bringing.report(memberships.name), residue)
        nowhere = {"board_id": None, "boarded_at": None}
        return [{**row, **brought.get(row["name"], nowhere)} for row in rows]

    return resolve


async def _count_memberships(bringing: Bringing, items: Mapping, memberships: Mapping, brought: dict[str, Row]) -> None:
    there = await bringing.connection.fetch_all(
        sa.select(media.c.name).where(
            media.c.kind == items.constants["kind"],
            media.c.board_id.is_not(None),
            among(bringing.connection.dialect, media.c.name, list(brought)),
        )
    )
    report = bringing.report(memberships.name)
    report.read += len(brought)
    report.unchanged += len(there)
    report.written += len(brought) - len(there)


def _points_at_nothing(memberships: Mapping, to: Mapping) -> sa.ColumnElement[bool]:
    (name,) = to.key
    return ~sa.exists().where(to.source.c[name] == memberships.source.c[name])


async def _cover(bringing: Bringing, originals: Sequence[Row], newest: int) -> None:
    images = await _images(bringing, [row[_COVER] for row in originals if isinstance(row[_COVER], str)])
    query = sa.select(boards.c.board_id, boards.c.sequence, boards.c.cover_media_id).where(
        among(bringing.connection.dialect, boards.c.board_id, [row["board_id"] for row in originals])
    )
    held = {row.board_id: row for row in await bringing.connection.fetch_all(query)}
    residue: list[Residue] = []
    changed: list[Row] = []
    for original in originals:
        board, cover = held[original["board_id"]], images.get(original[_COVER])
        if cover is None and original[_COVER] is not None:
            residue.append(mended(maps.BOARDS, original, _COVER, None))
        if board.cover_media_id == cover:
            continue
        if board.sequence <= newest:
            raise conflict("boards", (board.board_id,))
        changed.append({"of_board": board.board_id, "cover": cover})
    await bringing.mend(bringing.report(maps.BOARDS.name), residue)
    statement = sa.update(boards).where(boards.c.board_id == sa.bindparam("of_board"))
    await bringing.connection.execute_many(statement.values(cover_media_id=sa.bindparam("cover")), changed)


def _related(row: Row, known: dict[str, str]) -> bool:
    one, other = row["model_key_1"], row["model_key_2"]
    return one in known and other in known and one.encode() < other.encode()


async def _images(bringing: Bringing, names: Sequence[str]) -> dict[str, int]:
    query = sa.select(media.c.name, media.c.media_id).where(
        media.c.kind == "image", among(bringing.connection.dialect, media.c.name, list(dict.fromkeys(names)))
    )
    return {row.name: row.media_id for row in await bringing.connection.fetch_all(query)}


async def _lookup(bringing: Bringing, key: sa.Column[Any], value: sa.Column[Any], wanted: Sequence[Any]) -> dict[Any, Any]:
    query = sa.select(key.label("wanted"), value.label("found")).where(
        among(bringing.connection.dialect, key, list(dict.fromkeys(wanted)))
    )
    return {row.wanted: row.found for row in await bringing.connection.fetch_all(query)}
