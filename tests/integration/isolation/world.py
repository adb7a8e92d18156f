"""Ana's things, private and shown, in every table; and those who come for them.

Whatever only Ana may know contains the word `hidden`; what stands on the board that she shares, or is public, contains `vixen`,
which no message of Tenantry says. So an answer that holds one of these words where it must not is a leak, whatever its shape.
"""

import json
from dataclasses import dataclass

import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database import tables
from tenantry.database.connection import Connection
from tenantry.repositories.queue_counts import recount
from tenantry.tenancy import InternalReason

OWNER = Principal("owner-ana")
STRANGER = Principal("user-bo")
READER = Principal("user-reader")
WRITER = Principal("user-writer")
MANAGER = Principal("user-manager")
ADMINISTRATOR = Principal("user-root", is_admin=True)

NOW = "2026-11-23 12:00:00.000"
DAY = "2026-11-23"

STATUSES = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")


@dataclass(frozen=True)
class Target:
    """What an attack is aimed at: one set of Ana's things, all private or all shown; `owner` is whose they are."""

    word: str
    owner: str = OWNER.user_id

    def __getattr__(self, name: str) -> str:
        return f"{self.word}-{name.replace('_', '-')}"

    @property
    def items(self) -> dict[str, int]:
        """The number of their item of the queue in each status."""
        first = {"hidden": 1_001, "vixen": 2_001}.get(self.word, 3_001)
        return {status: first + place for place, status in enumerate(STATUSES)}

    def things(self) -> set[str]:
        """The ids that the attacker gives, which an answer may give back where it says so."""
        return {
            f"{self.word}-{name}" for name in ("board", "image", "video", "intermediate", "workflow", "preset", "prompt", "key")
        }


HIDDEN = Target("hidden")
SHOWN = Target("vixen")


async def fill(studio: Studio) -> None:
    """Put everything in, each person once and each kind of thing twice: hidden and shown."""
    async with studio.begin(Principal.internal(InternalReason.IMPORT)) as work:
        connection = work.ground.connection
        await _people(connection)
        for target in (HIDDEN, SHOWN):
            await _boards(connection, target)
            await _media(connection, target)
            await _library(connection, target)
            await _queue(connection, target)
        await _shares(connection)
        await _installation(connection)
        await _stranger_has_things(connection)
        for who in (OWNER, STRANGER):
            secret = "hidden" if who is OWNER else "own-bo"
            await _turns(connection, who.user_id, secret)
            await _account(connection, who.user_id, secret)
        await recount(connection)


async def _put(connection: Connection, table: sa.Table, **values: object) -> None:
    times = {name: NOW for name in ("created_at", "updated_at") if name in table.c}
    await connection.execute(sa.insert(table).values(**times, **values))


async def _people(connection: Connection) -> None:
    for who in (OWNER, STRANGER, READER, WRITER, MANAGER, ADMINISTRATOR):
        word = "hidden" if who is OWNER else who.user_id
        await _put(
            connection,
            tables.users,
            user_id=who.user_id,
            email=f"{word}@example.com",
            display_name=f"{word} name",
            password_hash=f"hidden hash of {who.user_id}",
            is_admin=who.is_admin,
            last_login_at="2026-01-01 hidden" if who is OWNER else None,
        )


async def _boards(connection: Connection, target: Target) -> None:
    for archived in (False, True):
        name = f"{target.board}-archived" if archived else target.board
        await _put(
            connection,
            tables.boards,
            board_id=name,
            user_id=target.owner,
            board_name=f"{name} name",
            archived=archived,
            visibility="private",
        )


async def _media(connection: Connection, target: Target) -> None:
    board = target.board
    await _item(connection, target, "image", target.image, board)
    await _item(connection, target, "video", target.video, board)
    for kind in ("image", "video"):
        await _item(connection, target, kind, target.intermediate, board, is_intermediate=True)
    if target is HIDDEN:
        await _item(connection, target, "image", "hidden-loose-image", None)
        await _item(connection, target, "video", "hidden-loose-video", None)
    # A cover that is not on the board itself; only the owner may learn of it.
    cover = "hidden-loose-image" if target.owner == OWNER.user_id else target.image
    covers = sa.select(tables.media.c.media_id).where(tables.media.c.name == cover).scalar_subquery()
    change = sa.update(tables.boards).where(tables.boards.c.board_id == board).values(cover_media_id=covers)
    await connection.execute(change)


async def _item(
    connection: Connection, target: Target, kind: str, name: str, board: str | None, *, is_intermediate: bool = False
) -> None:
    await _put(
        connection,
        tables.media,
        kind=kind,
        name=name,
        user_id=target.owner,
        board_id=board,
        boarded_at=board and NOW,
        origin="internal",
        category="general",
        width=8,
        height=8,
        duration=1.0 if kind == "video" else None,
        session_id=f"{target.word}-session",
        node_id=f"{target.word}-node",
        is_intermediate=is_intermediate,
        subfolder=f"{target.word}-folder",
        metadata=json.dumps({"positive_prompt": f"{target.word} prompt of a secret fox"}),
    )


async def _library(connection: Connection, target: Target) -> None:
    mine = {"user_id": target.owner, "is_public": target is SHOWN}
    document = {
        "id": target.workflow,
        "name": f"{target.word} workflow name",
        "description": f"{target.word} description",
        "tags": f"{target.word}-tag",
        "author": "",
        "version": "1.0.0",
        "contact": "",
        "notes": "",
        "exposedFields": [],
        "nodes": [],
        "edges": [],
        "meta": {"version": "3.0.0", "category": "user"},
    }
    await _put(
        connection,
        tables.workflows,
        workflow_id=target.workflow,
        category="user",
        name=document["name"],
        description=document["description"],
        tags=document["tags"],
        opened_at=NOW,
        document=json.dumps(document),
        **mine,
    )
    data = json.dumps({"positive_prompt": f"{target.word} positive", "negative_prompt": f"{target.word} negative"})
    await _put(
        connection, tables.style_presets, preset_id=target.preset, name=f"{target.word} preset", preset_data=data, **mine
    )
    await _put(
        connection,
        tables.system_prompts,
        prompt_id=target.prompt,
        name=f"{target.word} prompt name",
        content=f"{target.word} content",
        **mine,
    )
    # Client state is never anybody else's, so all of hers is hidden.
    secret = _secret(target)
    await _put(connection, tables.client_state, user_id=target.owner, key=target.key, value=f"{secret} value")


def _secret(target: Target) -> str:
    """What stands in things that are shown to nobody, whoever the others are shown to."""
    return "hidden" if target.owner == OWNER.user_id else target.word


async def _queue(connection: Connection, target: Target) -> None:
    """A batch with an item in each status, and a workflow call of the one that waits."""
    secret = _secret(target)
    graph = {"id": secret, "nodes": {secret: {"id": secret, "value": ""}}, "edges": []}
    await _put(
        connection,
        tables.batches,
        batch_id=f"{secret}-batch-{target.word}",
        user_id=target.owner,
        queue_id="default",
        origin=f"{secret}-origin",
        destination=f"{secret}-destination",
        board_id=f"{secret}-board",
        idempotency_key=f"{secret}-key-{target.word}",
        request_digest=secret,
        graph=json.dumps(graph),
        fields=json.dumps([[secret, "value"]]),
        workflow=json.dumps({secret: 1}),
    )
    batch = sa.select(tables.batches.c.batch_key).where(tables.batches.c.batch_id == f"{secret}-batch-{target.word}")
    for status, item_id in target.items.items():
        ended = status in ("completed", "failed", "canceled")
        await _put(
            connection,
            tables.queue_items,
            item_id=item_id,
            user_id=target.owner,
            queue_id="default",
            batch_key=batch.scalar_subquery(),
            session_id=f"{secret}-session-{item_id}",
            status=status,
            worker_id="worker-1" if status == "in_progress" else None,
            attempt=1 if status == "in_progress" else 0,
            workflow_call_id=f"{secret}-call" if status == "pending" else None,
            started_at=NOW if ended else None,
            completed_at=NOW if ended else None,
            error_type=f"{secret} type",
            error_message=f"{secret} message",
            error_traceback=f"{secret} traceback",
            field_values=json.dumps([secret]),
            workflow=json.dumps({secret: 1}),
        )


async def _turns(connection: Connection, owner: str, secret: str) -> None:
    """What decides when a user's items come."""
    await _put(connection, tables.queue_turns, queue_id=f"{secret}-queue", user_id=owner, served=1, started_at=NOW)
    await _put(connection, tables.queue_limits, user_id=owner, weight=2.0, max_pending=1_000)
    await _put(connection, tables.queue_usage, user_id=owner, items=3)
    await _put(connection, tables.events, user_id=owner, kind="BoardCreated", body=f'{{"board_id": "{secret}-board"}}')


async def _account(connection: Connection, owner: str, secret: str) -> None:
    """A key of a user's, and what is noted of how they logged in."""
    key = {"name": f"{secret} key", "prefix": secret, "scopes": "read", "last_used_at": f"2026-01-01 {secret}"}
    await _put(connection, tables.api_keys, key_id=f"{secret}-api-key", user_id=owner, key_hash=f"hidden hash {secret}", **key)
    link = {"link_id": f"{secret}-link", "secret_hash": f"hidden hash {secret}", "expires_at": "2999-01-01 00:00:00.000"}
    await _put(connection, tables.account_links, user_id=owner, **link)
    await _put(connection, tables.login_attempts, subject=f"hidden {owner}", failures=1, blocked_until=NOW)
    entry = {"action": "login", "method": "token", "address": "hidden", "detail": "{}"}
    await _put(connection, tables.audit_entries, actor_id=f"hidden {owner}", **entry)


async def _shares(connection: Connection) -> None:
    for who, permission in ((READER, "read"), (WRITER, "write"), (MANAGER, "admin")):
        for board in ("vixen-board", "vixen-board-archived"):
            await _put(
                connection,
                tables.board_shares,
                board_id=board,
                user_id=who.user_id,
                owner_id=OWNER.user_id,
                permission=permission,
                shared_at=NOW,
            )


async def _installation(connection: Connection) -> None:
    await _put(connection, tables.app_settings, key="hidden-setting", value="hidden secret")
    await _put(connection, tables.import_residue, source_table="users", row_key="[1]", value="hidden residue")
    for key in ("model-1", "model-2"):
        facts = {name: f"{key}-{name}" for name in ("hash", "path", "name", "source")}
        kinds = {"base": "sdxl", "type": "main", "format": "diffusers", "source_type": "path"}
        config = {"key": key, "file_size": 1, **facts, **kinds}
        await _put(connection, tables.models, model_key=key, file_size=1, config=json.dumps(config), **facts, **kinds)
    await _put(connection, tables.model_relationships, model_key_1="model-1", model_key_2="model-2")
    await _put(connection, tables.move_jobs, job_id=1, state="planned", error_message="hidden job")
    media_id = sa.select(tables.media.c.media_id).where(tables.media.c.name == "hidden-image").scalar_subquery()
    folders = {"old_subfolder": "hidden-old", "new_subfolder": "hidden-new"}
    await _put(connection, tables.move_items, job_id=1, media_id=media_id, state="planned", **folders)
    await _put(connection, tables.search_progress, indexed_through=0)
    await _put(connection, tables.queues, queue_id="default")
    await _put(connection, tables.queue_defaults, row_number=1, weight=1.0)
    await _put(
        connection,
        tables.workers,
        worker_id="worker-1",
        name="hidden worker",
        host="hidden host",
        process=1,
        devices='["hidden device"]',
        concurrency=1,
        started_at=NOW,
        beat_at=NOW,
        expires_at="2999-01-01 00:00:00.000",
    )


async def _stranger_has_things(connection: Connection) -> None:
    """So that "own rows only" is more than an empty answer."""
    mine = Target("own-bo", STRANGER.user_id)
    await _boards(connection, mine)
    await _media(connection, mine)
    await _library(connection, mine)
    await _queue(connection, mine)
