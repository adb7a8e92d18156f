"""Something of Ana's and of Bo's in every table that has an owner, some of it on the other's board."""

import json

import sqlalchemy as sa

from tenantry.database import tables
from tenantry.database.connection import Connection
from tenantry.repositories.queue_counts import Counted, add_to_counts

__all__ = ["give_belongings"]

NOW = "2026-11-23 12:00:00.000"


async def give_belongings(connection: Connection) -> None:
    """Each has a board shared with both others, four images and videos, and one of everything else."""
    for user, other in (("ana", "bo"), ("bo", "ana")):
        await _put(connection, tables.boards, board_id=f"{user}-board", user_id=user, board_name="Foxes")
        for friend in (other, "cy"):
            share = {"board_id": f"{user}-board", "user_id": friend, "owner_id": user}
            await _put(connection, tables.board_shares, permission="write", shared_at=NOW, **share)
    for user, other in (("ana", "bo"), ("bo", "ana")):
        await _item(connection, user, "image", "own", f"{user}-board")
        await _item(connection, user, "video", "own", f"{user}-board")
        await _item(connection, user, "image", "visiting", f"{other}-board")
        await _item(connection, user, "image", "loose", None)
        await _library(connection, user)
        session = {"source_table": "user_sessions", "row_key": f'["of-{user}"]'}
        await _put(connection, tables.import_residue, value=json.dumps({"user_id": user}), **session)


async def _put(connection: Connection, table: sa.Table, **values: object) -> None:
    times = {name: NOW for name in ("created_at", "updated_at") if name in table.c}
    await connection.execute(sa.insert(table).values(**times, **values))


async def _item(connection: Connection, user: str, kind: str, name: str, board_id: str | None) -> None:
    facts = {"origin": "internal", "category": "general", "width": 8, "height": 8, "subfolder": "2026"}
    place = {"board_id": board_id, "boarded_at": board_id and NOW, "duration": 1.0 if kind == "video" else None}
    await _put(connection, tables.media, kind=kind, name=f"{user}-{name}", user_id=user, **facts, **place)


async def _library(connection: Connection, user: str) -> None:
    texts = {"name": "Foxes", "description": "", "category": "user", "document": "{}"}
    await _put(connection, tables.workflows, workflow_id=f"{user}-workflow", user_id=user, **texts)
    await _put(connection, tables.style_presets, preset_id=f"{user}-preset", user_id=user, name="Ink", preset_data="{}")
    await _put(connection, tables.system_prompts, prompt_id=f"{user}-prompt", user_id=user, name="Terse", content="Be terse.")
    for key in ("theme", f"only-{user}"):
        await _put(connection, tables.client_state, user_id=user, key=key, value=f"{user}'s")
    facts = {"name": "Nightly", "prefix": "tny_", "key_hash": f"hash of {user}", "scopes": "read"}
    await _put(connection, tables.api_keys, key_id=f"{user}-key", user_id=user, **facts)
    link = {"link_id": f"{user}-link", "secret_hash": f"hash of {user}", "expires_at": NOW}
    await _put(connection, tables.account_links, user_id=user, **link)
    await _queue(connection, user)


async def _queue(connection: Connection, user: str) -> None:
    """A batch for a destination, with an item that waits and one that runs, and what is noted of the user's turns."""
    waiting, running = (
        {"queue_id": "default", "user_id": user, "status": status, "session_id": f"{user}-{status}", "session": "{}"}
        for status in ("pending", "in_progress")
    )
    batch = {"batch_id": f"{user}-batch", "queue_id": "default", "user_id": user, "destination": "canvas"}
    await connection.execute(sa.insert(tables.batches).values(created_at=NOW, **batch))
    found = sa.select(tables.batches.c.batch_key).where(tables.batches.c.batch_id == f"{user}-batch")
    batch_key = await connection.fetch_value(found)
    for item in (waiting, running):
        await _put(connection, tables.queue_items, batch_key=batch_key, **item)
        counted = Counted("default", user, "canvas", str(item["status"]))
        await add_to_counts(connection, {counted: 1})
    await _put(connection, tables.queue_turns, queue_id="default", user_id=user, served=1)
    await _put(connection, tables.queue_limits, user_id=user, max_running=2)
    await _put(connection, tables.queue_usage, user_id=user, items=2)
    await _put(connection, tables.events, user_id=user, kind="BoardCreated", body=json.dumps({"board_id": f"{user}-board"}))
