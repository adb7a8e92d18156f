"""A server in this process over each database, with three users, an administrator, and things that belong to one of them."""

import json
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from tenantry import Principal, Studio
from tenantry.api import create_app
from tenantry.api.serve import open_studio
from tenantry.cli import main
from tenantry.database import DatabaseURL
from tenantry.database.tables import users
from tenantry.queue import Batch, BatchDatum
from tenantry.settings import Settings
from tenantry.tenancy import InternalReason
from tests.acceptance.commands import Command, Said

PASSWORD = "Correct-Horse-9"
USERS = ("ana", "bo", "cy", "root")
WORKFLOW: dict[str, Any] = {
    "name": "Foxes at dusk",
    "author": "Ana",
    "description": "Paints foxes",
    "version": "1.0.0",
    "contact": "",
    "tags": "fox, dusk",
    "notes": "",
    "exposedFields": [],
    "meta": {"version": "3.0.0", "category": "user"},
    "nodes": [],
    "edges": [],
}
DESTINATIONS = {"private": "canvas-1", "shared": "canvas-2"}
"""What the items of the queue are for; some answers repeat it to whoever asked."""


@dataclass(frozen=True)
class Things:
    """Ids of what Ana has: `private` to her, or shown to everybody without a right to change it."""

    board_id: str
    image_name: str
    video_name: str
    workflow_id: str
    style_preset_id: str
    system_prompt_id: str
    item_id: int
    batch_id: str
    destination: str
    key_id: str = "absent"

    def of_path(self) -> dict[str, str | int]:
        """The ids by the names that they have in addresses."""
        return asdict(self)


@dataclass(frozen=True)
class World:
    """Everything a test needs to ask the server something."""

    app: FastAPI
    studio: Studio
    settings: Settings
    anonymous: httpx.AsyncClient
    ana: httpx.AsyncClient
    bo: httpx.AsyncClient
    root: httpx.AsyncClient
    private: Things
    shown: Things

    @property
    def outputs(self) -> Path:
        return self.settings.outputs_folder


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command `tenantry` in an empty folder."""
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: str) -> Said:
        capfd.readouterr()
        status = main(words)
        return Said(status, *capfd.readouterr())

    return run


@pytest.fixture
def settings(database_url: DatabaseURL, tmp_path: Path) -> Settings:
    """A server's settings over each database, cheap where cost would only be time."""
    url = database_url.url.render_as_string(hide_password=False)
    return Settings(database=url, outputs=tmp_path / "outputs", bcrypt_cost=4, max_body_bytes=200_000)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """A served studio; the clients of Ana, Bo and Root have their tokens, Cy is deactivated."""
    studio = open_studio(settings)
    app = create_app(studio, settings)
    await _add_users(studio)
    private = await _add_things(studio, settings.outputs_folder, "private")
    shown = await _add_things(studio, settings.outputs_folder, "shared")
    clients = {name: client_of(app) for name in ("anonymous", "ana", "bo", "root")}
    for name in ("ana", "bo", "root"):
        await log_in(clients[name], name)
    yield World(app, studio, settings, **clients, private=private, shown=shown)
    for client in clients.values():
        await client.aclose()
    await studio.aclose()


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a studio in which nobody is yet."""
    studio = open_studio(settings)
    try:
        async with client_of(create_app(studio, settings)) as client:
            yield client
    finally:
        await studio.aclose()


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that nobody is logged in with."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio")


async def log_in(client: httpx.AsyncClient, name: str) -> None:
    """Send the user's token with every further request of this client, and no cookie."""
    answer = await client.post("/api/v1/auth/login", json={"email": f"{name}@example.com", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    client.cookies.clear()


async def _add_users(studio: Studio) -> None:
    now = "2026-11-23 12:00:00.000"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    async with studio.begin(Principal.internal(InternalReason.OPERATE)) as work:
        for name in USERS:
            await work.ground.connection.execute(
                sa.insert(users).values(
                    user_id=name,
                    email=f"{name}@example.com",
                    display_name=name.title(),
                    password_hash=hashed,
                    is_admin=name == "root",
                    is_active=name != "cy",
                    created_at=now,
                    updated_at=now,
                )
            )


async def _add_things(studio: Studio, outputs: Path, visibility: str) -> Things:
    image, video = f"{visibility}.png", f"{visibility}.mp4"
    kept: dict[str, Any] = {"origin": "internal", "category": "general", "width": 8, "height": 8}
    async with studio.begin(Principal("ana")) as work:
        board = await work.boards.create(f"Ana's {visibility}", visibility=visibility)
        metadata = json.dumps({"positive_prompt": f"a {visibility} fox"})
        await work.images.save(image, **kept, metadata=metadata, has_workflow=True, board_id=board.board_id)
        await work.videos.save(video, **kept, duration=1.5, fps=24.0, board_id=board.board_id)
        public = visibility == "shared"
        workflow = await work.workflows.create(json.dumps(WORKFLOW), is_public=public)
        preset = await work.presets.create(f"{visibility} ink", '{"positive_prompt": "ink"}', is_public=public)
        prompt = await work.prompts.create(f"{visibility} brevity", "Be brief.", is_public=public)
        await work.client_state.set("canvas", f"{visibility} canvas")
        key = await work.api_keys.create("ana", visibility, prefix="tny_", key_hash=f"{visibility} hash", scopes=["read"])
        queued = await work.queue.enqueue(_batch(visibility))
    _write_files(outputs, image, video)
    return Things(
        *(board.board_id, image, video, workflow.workflow_id, preset.preset_id, prompt.prompt_id),
        item_id=queued.item_ids[0],
        batch_id=queued.batch_id,
        destination=DESTINATIONS[visibility],
        key_id=key.key_id,
    )


def _batch(visibility: str) -> Batch:
    """A batch of one item, everything about which tells whose it is; whatever is shown, the queue shows it to nobody."""
    text = BatchDatum(node_path="prompt", field_name="text", items=[f"a {visibility} fox"])
    return Batch(
        graph={"id": f"{visibility} graph", "nodes": {"prompt": {"id": "prompt", "type": "string", "text": ""}}, "edges": []},
        data=[[text]],
        workflow={**WORKFLOW, "name": f"{visibility} workflow"},
        origin=f"{visibility} origin",
        destination=DESTINATIONS[visibility],
        batch_id=f"{visibility}-batch",
    )


def _write_files(outputs: Path, image: str, video: str) -> None:
    stem = image.removesuffix(".png")
    texts = {"invokeai_workflow": '{"name": "drawn"}', "invokeai_graph": '{"id": "g"}'}
    files = {
        f"images/{image}": png(texts),
        f"images/thumbnails/{stem}.webp": b"RIFF\x04\x00\x00\x00WEBP",
        f"videos/{video}": b"0123456789",
        f"videos/thumbnails/{stem}.webp": b"RIFF\x04\x00\x00\x00WEBP",
        f"videos/sidecars/{stem}.json": json.dumps({"invokeai_workflow": '{"name": "filmed"}'}).encode(),
    }
    for name, content in files.items():
        path = outputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def png(texts: dict[str, str]) -> bytes:
    """A picture of one pixel that says these texts, each in another kind of chunk."""
    kinds: list[tuple[bytes, Callable[[str], bytes]]] = [
        (b"tEXt", lambda text: text.encode("latin-1")),
        (b"iTXt", lambda text: b"\1\0en\0\0" + zlib.compress(text.encode())),
        (b"zTXt", lambda text: b"\0" + zlib.compress(text.encode("latin-1"))),
    ]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))]
    for (key, text), (kind, encode) in zip(texts.items(), kinds, strict=False):
        chunks.append((kind, key.encode() + b"\0" + encode(text)))
    chunks += [(b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    framed = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
