"""A grown studio: 100,000 images of 50 users on 20 boards each, and 2,000 workflows, the same on both databases."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tenantry import InternalReason, Principal, Studio, run
from tenantry.database import timestamp
from tenantry.database.tables import boards, media, users, workflows

__all__ = ["RARE_TERM", "build", "is_built", "user_id"]

USERS = 50
BOARDS = 20
IMAGES = 100_000
WORKFLOWS = 2_000
RARE_TERM = "heliotrope"
"""Stands in about one prompt of two hundred."""

_START = datetime(2025, 11, 1, tzinfo=UTC)
_VOCABULARY = (
    "amber ancient autumn birch bright bronze castle cedar cinematic cloud cobalt copper coral crystal dawn detailed dream "
    "dusk ember fern field fog forest fox garden glacier golden harbor heron indigo ivory lantern lavender marble meadow "
    "mist moss night oak ocean opal orchid painting pebble pine portrait quartz rain raven river rose ruby sail sand shadow "
    "silver snow spring star stone storm summer sunset thistle tide tower umber valley velvet violet wave willow winter "
    "wolf yarrow"
)
_WORDS = _VOCABULARY.split()


def user_id(number: int) -> str:
    """The id of one of the users; number 0 is the administrator."""
    return f"00000000-0000-4000-8000-{number:012d}"


def is_built(studio: Studio) -> bool:
    """Whether the database holds the studio already."""
    with studio.direct.read(_internal()) as work:
        return bool(run(work.ground.connection.fetch_value(sa.select(sa.func.count()).select_from(media))) >= IMAGES)


def build(studio: Studio) -> None:
    """Fill an empty, migrated database, and bring its text index and statistics up to date."""
    rng = random.Random(2026)
    with studio.direct.begin(_internal()) as work:
        insert = work.ground.connection.execute_many
        run(insert(sa.insert(users), list(_users())))
        run(insert(sa.insert(boards), list(_boards(rng))))
        run(insert(sa.insert(workflows), list(_workflows(rng))))
        for batch in _batches(_images(rng), 5_000):
            run(insert(sa.insert(media), batch))
    while True:
        with studio.direct.begin(_internal()) as work:
            if not run(work.search_index.index(5_000)):
                break
    _gather_statistics(studio)


def _gather_statistics(studio: Studio) -> None:
    """What the database's own maintenance does within minutes."""
    if studio.database.dialect == "sqlite":
        with studio.direct.begin(_internal()) as work:
            run(work.ground.connection.execute(sa.text("ANALYZE")))
        return
    engine = sa.create_engine(studio.database.url.driven_by("postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


def _internal() -> Principal:
    return Principal.internal(InternalReason.OPERATE)


def _users() -> Iterator[dict[str, Any]]:
    for number in range(USERS):
        yield {
            "user_id": user_id(number),
            "email": f"user{number}@example.com",
            "display_name": f"User {number}",
            "is_admin": number == 0,
            "created_at": timestamp(_START),
            "updated_at": timestamp(_START),
        }


def _board_id(owner: int, number: int) -> str:
    return f"b0a4d000-0000-4000-8000-{owner:06d}{number:06d}"


def _boards(rng: random.Random) -> Iterator[dict[str, Any]]:
    for owner in range(USERS):
        for number in range(BOARDS):
            moment = timestamp(_START + timedelta(seconds=owner * BOARDS + number))
            yield {
                "board_id": _board_id(owner, number),
                "user_id": user_id(owner),
                "board_name": f"{rng.choice(_WORDS).title()} {number}",
                "visibility": rng.choices(["private", "shared", "public"], [8, 1, 1])[0],
                "created_at": moment,
                "updated_at": moment,
            }


def _workflows(rng: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(WORKFLOWS):
        name = " ".join(rng.sample(_WORDS, 3))
        tags = ", ".join(rng.sample(_WORDS[:24], rng.randint(0, 4)))
        document = {
            "name": name,
            "description": f"About {name}",
            "tags": tags,
            "meta": {"category": "user"},
            "nodes": [{}] * 20,
        }
        yield {
            "workflow_id": f"30f10000-0000-4000-8000-{number:012d}",
            "user_id": user_id(number % USERS),
            "is_public": number % 10 == 0,
            "category": "user",
            "name": name,
            "description": document["description"],
            "tags": tags,
            "created_at": timestamp(_START + timedelta(seconds=number)),
            "updated_at": timestamp(_START + timedelta(seconds=number)),
            "document": json.dumps(document),
        }


def _images(rng: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(IMAGES):
        owner = rng.randrange(USERS)
        # 300 images a day for most of a year, as a studio of this size makes them.
        moment = timestamp(_START + timedelta(seconds=number * 288, milliseconds=rng.randrange(1000)))
        boarded = rng.random() < 0.7
        yield {
            "kind": "image",
            "name": f"{rng.getrandbits(128):032x}.png",
            "user_id": user_id(owner),
            "board_id": _board_id(owner, rng.randrange(BOARDS)) if boarded else None,
            "boarded_at": moment if boarded else None,
            "origin": "internal",
            "category": rng.choices(["general", "mask", "control", "user"], [85, 5, 5, 5])[0],
            "width": 1024,
            "height": 1024,
            "is_intermediate": rng.random() < 0.2,
            "starred": rng.random() < 0.03,
            "has_workflow": True,
            "session_id": f"{rng.getrandbits(128):032x}",
            "node_id": "l2i",
            "created_at": moment,
            "updated_at": moment,
            "metadata": _metadata(rng),
        }


def _metadata(rng: random.Random) -> str:
    prompt = " ".join(rng.choices(_WORDS, k=40)) + (f" {RARE_TERM}" if rng.random() < 0.005 else "")
    return json.dumps(
        {
            "generation_mode": "sdxl_txt2img",
            "positive_prompt": prompt,
            "negative_prompt": " ".join(rng.choices(_WORDS, k=20)),
            "width": 1024,
            "height": 1024,
            "seed": rng.getrandbits(32),
            "cfg_scale": 5.5,
            "steps": 30,
            "scheduler": "dpmpp_2m_k",
            "model": {
                "key": f"{rng.getrandbits(64):016x}",
                "hash": f"blake3:{rng.getrandbits(256):064x}",
                "name": "Juggernaut XL",
            },
            "app_version": "6.14.2",
        }
    )


def _batches(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
