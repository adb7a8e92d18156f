"""Rights that end reach open sockets: at once, on every host, whoever ends them and by whichever way."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import socketio
import sqlalchemy as sa

from tenantry import Principal, Studio, connect
from tenantry.database import DatabaseURL
from tenantry.database.tables import users
from tenantry.errors import AuthenticationFailed, DatabaseUnavailable
from tenantry.events.bus import ProcessBus, Transient
from tenantry.events.sockets import SocketRules
from tenantry.events.transient import transient_of
from tenantry.events.types.running import InvocationComplete
from tenantry.queue import Batch
from tests.integration.events.scene import OPERATE
from tests.integration.events.streaming import Client, Streaming, streaming
from tests.waiting import until_async

ROOT = Path(__file__).parents[3]
POLLING = "/ws/socket.io/?EIO=4&transport=polling"
GRAPH: dict[str, object] = {"nodes": {}}
NEW = "Another-Horse-9"
Ending = Callable[[Studio, str], Awaitable[object]]

ENDINGS: dict[str, Ending] = {
    "suspended": lambda studio, user_id: studio.accounts.suspend(user_id),
    "deleted": lambda studio, user_id: studio.accounts.delete(user_id, "delete"),
    "transferred": lambda studio, user_id: studio.accounts.delete(user_id, "keep"),
    "another password": lambda studio, user_id: studio.accounts.reset_password(user_id, NEW),
    "tokens ended": lambda studio, user_id: _end_tokens(studio, user_id),
}


async def _end_tokens(studio: Studio, user_id: str) -> None:
    async with studio.begin(OPERATE) as work:
        await work.users.end_tokens(user_id)


@pytest.fixture
async def elsewhere(database_url: DatabaseURL, studio: Studio) -> AsyncIterator[Studio]:
    """The same studio as another host has it: this one hears nothing of it but through the database."""
    other = connect(database_url)
    yield other
    await other.aclose()


async def user_of(studio: Studio, token: str) -> str:
    return (await studio.accounts.identify(token)).user_id


async def enqueue(studio: Studio, token: str) -> None:
    async with studio.begin(await studio.accounts.identify(token)) as work:
        await work.queue.enqueue(Batch(graph=GRAPH))


async def assert_sent_away(client: Client, within: float = 1.0) -> None:
    """Within a second; polling twice a second is enough for that."""
    begun = time.monotonic()
    await until_async(lambda: not client.socket.connected)
    assert time.monotonic() - begun < within


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("ending", ENDINGS)
async def test_who_may_no_longer_be_there_is_sent_away(
    studio: Studio, elsewhere: Studio, streams: Streaming, tokens: dict[str, str], ending: str, transport: str
) -> None:
    """By another host; everybody else stays, and an administrator is told of it."""
    bo = await streams.connect(tokens["bo"], transport=transport)
    ana, root = await streams.connect(tokens["ana"]), await streams.connect(tokens["root"])
    await ENDINGS[ending](elsewhere, await user_of(studio, tokens["bo"]))
    await assert_sent_away(bo)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await streams.connect(tokens["bo"])
    await until_async(lambda: bool(root.events("account_changed") or root.events("account_deleted")))
    assert ana.socket.connected
    assert root.socket.connected
    assert len(streams.server.connections) == 2


@pytest.mark.parametrize("words", [["modify", "--deactivate"], ["delete", "--data", "delete", "--yes"]])
async def test_the_command_line_sends_away_too(
    database_url: DatabaseURL, streams: Streaming, tokens: dict[str, str], words: list[str]
) -> None:
    """It is a process that ends before anybody hears of it."""
    bo = await streams.connect(tokens["bo"])
    database = database_url.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tenantry", "user", words[0], "bo@example.com", *words[1:], "--database", database]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    await assert_sent_away(bo)


async def test_the_command_line_takes_an_administrators_rights(
    database_url: DatabaseURL, studio: Studio, streams: Streaming, tokens: dict[str, str]
) -> None:
    """On the socket that is open, which stays so."""
    await studio.accounts.register("other@example.com", NEW, is_admin=True)
    root = await streams.connect(tokens["root"])
    database = database_url.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tenantry", "user", "modify", "root@example.com", "--no-admin", "--database", database]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    await enqueue(studio, tokens["ana"])
    await enqueue(studio, tokens["root"])
    await until_async(lambda: bool(root.events("batch_enqueued")))
    assert [event["user_id"] for event in root.events("batch_enqueued")] == [await user_of(studio, tokens["root"])]


async def test_what_nobody_tells_is_seen_by_the_sweep(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """As when somebody changes the table by hand."""
    async with streaming(studio, bus, SocketRules(sweep=0.05)) as streams:
        bo, ana = await streams.connect(tokens["bo"]), await streams.connect(tokens["ana"])
        async with studio.begin(OPERATE) as work:
            change = sa.update(users).where(users.c.email == "bo@example.com").values(is_active=False)
            await work.ground.connection.execute(change)
        await assert_sent_away(bo)
        assert ana.socket.connected


async def test_administrators_rights_lapse_while_they_cannot_be_read(
    studio: Studio, bus: ProcessBus, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And come back afterwards; a database that is away is asked once for all sockets."""
    identify, is_away, asked = studio.accounts.identify, False, 0

    async def asking(token: str) -> Principal:
        nonlocal asked
        if is_away:
            asked += 1
            raise DatabaseUnavailable("The database is away.")
        return await identify(token)

    monkeypatch.setattr(studio.accounts, "identify", asking)
    async with streaming(studio, bus, SocketRules(sweep=0.05)) as streams:
        clients = [await streams.connect(tokens[name]) for name in ("ana", "root", "root")]
        assert streams.server.connections.count() == (2, 1)
        is_away = True
        await until_async(lambda: streams.server.connections.count() == (0, 3))
        seen = asked
        await until_async(lambda: asked == seen + 1)
        bus.publish(end_of_a_node((await identify(tokens["ana"])).user_id))
        await clients[0].until("invocation_complete")
        assert clients[1].names == clients[2].names == []
        is_away = False
        await until_async(lambda: streams.server.connections.count() == (2, 1))
        assert all(client.socket.connected for client in clients)


def end_of_a_node(user_id: str) -> Transient:
    """What administrators get too."""
    event = InvocationComplete(
        timestamp=1,
        queue_id="default",
        item_id=1,
        user_id=user_id,
        batch_id="",
        session_id="",
        origin=None,
        destination=None,
        invocation={},
        invocation_source_id="",
        result={},
    )
    return transient_of(event, user_id)


class Holding:
    """Looks tokens up as ever, but answers only when it is let."""

    def __init__(self, studio: Studio) -> None:
        self._identify = studio.accounts.identify
        self.let = asyncio.Event()
        self.asked = 0

    async def __call__(self, token: str) -> Principal:
        self.asked += 1
        try:
            return await self._identify(token)
        finally:
            await self.let.wait()


@pytest.fixture
async def holding(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> AsyncIterator[Holding]:
    """Tokens are looked up, and the answer is held back; whatever happens, not beyond the test."""
    holding = Holding(studio)
    yield holding
    holding.let.set()


async def test_who_goes_while_being_let_in_leaves_nothing_behind(
    studio: Studio, streams: Streaming, tokens: dict[str, str], holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such sockets would count against the user's limit for as long as the server runs."""
    monkeypatch.setattr(studio.accounts, "identify", holding)
    async with httpx.AsyncClient(base_url=streams.url) as client:
        sid = json.loads((await client.get(POLLING)).text[1:])["sid"]
        opening = asyncio.create_task(client.post(f"{POLLING}&sid={sid}", content=f'40{{"token":"{tokens["ana"]}"}}'))
        await until_async(lambda: holding.asked == 1)
        await client.post(f"{POLLING}&sid={sid}", content="1")
        holding.let.set()
        await opening
    await streams.connect(tokens["bo"])
    assert [each.token for each in streams.server.connections] == [tokens["bo"]]


async def test_who_loses_rights_while_being_let_in_is_not_let_in(
    studio: Studio, streams: Streaming, tokens: dict[str, str], holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rights were read before they ended, and the socket was not there yet when it was looked for."""
    root = await streams.connect(tokens["root"])
    bo = await user_of(studio, tokens["bo"])
    monkeypatch.setattr(studio.accounts, "identify", holding)
    opening = asyncio.create_task(streams.connect(tokens["bo"]))
    await until_async(lambda: holding.asked == 1)
    await studio.accounts.suspend(bo)
    await until_async(lambda: len(root.events("account_changed")) == 2)
    holding.let.set()
    await until_async(lambda: holding.asked == 2)
    await until_async(lambda: len(streams.server.connections) == 1)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)


async def test_who_goes_while_being_looked_at_takes_nobody_along(
    studio: Studio, bus: ProcessBus, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is to be closed may be gone by itself."""
    async with streaming(studio, bus, SocketRules(sweep=0.05)) as streams:
        ana, bo = await streams.connect(tokens["ana"]), await streams.connect(tokens["bo"])
        looking, let = asyncio.Event(), asyncio.Event()
        identify = studio.accounts.identify

        async def refuse(token: str) -> Principal:
            if token != tokens["bo"]:
                return await identify(token)
            looking.set()
            await let.wait()
            raise AuthenticationFailed

        monkeypatch.setattr(studio.accounts, "identify", refuse)
        await looking.wait()
        await bo.socket.disconnect()
        await until_async(lambda: len(streams.server.connections) == 1)
        let.set()
        await enqueue(studio, tokens["ana"])
        await ana.until("batch_enqueued")
        await streams.connect(tokens["root"])
        assert ana.socket.connected
