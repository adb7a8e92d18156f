"""Event streams as their clients see them, over real sockets."""

from typing import Any

import pytest
import socketio

from tenantry import Studio
from tenantry.database import timestamp
from tenantry.events.bus import ProcessBus
from tenantry.events.sockets import SocketRules
from tenantry.events.transient import transient_of
from tenantry.events.types.running import QueueItemProgress
from tenantry.queue import Batch
from tests.integration.conftest import Ticking
from tests.integration.events.scene import OPERATE
from tests.integration.events.streaming import Streaming, streaming
from tests.waiting import until_async

GRAPH: dict[str, object] = {"nodes": {}}
PROMPT = "a fox nobody may see"


async def enqueue(studio: Studio, token: str, **more: Any) -> None:
    """Queue a batch of one item for a token's user."""
    async with studio.begin(await studio.accounts.identify(token)) as work:
        await work.queue.enqueue(Batch(graph=GRAPH, origin=PROMPT, destination=PROMPT, **more))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_everybody_gets_what_is_theirs_and_no_more(
    studio: Studio, streams: Streaming, tokens: dict[str, str], transport: str
) -> None:
    """The owner and administrators all of it, subscribers a redacted copy, others nothing."""
    ana = await streams.connect(tokens["ana"], transport=transport)
    bo = await streams.connect(tokens["bo"], transport=transport)
    subscriber = await streams.connect(tokens["bo"], transport=transport, queue_ids=["default"])
    root = await streams.connect(tokens["root"], transport=transport, queue_ids=["default"])
    await enqueue(studio, tokens["ana"])
    for client in (ana, subscriber, root):
        await client.until("batch_enqueued")
    assert bo.names == []
    assert ana.got[1] == root.got[1]
    assert ana.got[1][1]["origin"] == PROMPT
    assert PROMPT not in str(subscriber.got)
    assert subscriber.got[1][1]["user_id"] == subscriber.got[1][1]["batch_id"] == "redacted"


async def test_subscribing_begins_and_ends_what_comes_of_others(
    studio: Studio, streams: Streaming, tokens: dict[str, str]
) -> None:
    """By InvokeAI's messages, of one queue at a time; a message that names none changes nothing."""
    bo = await streams.connect(tokens["bo"])
    assert "error" in await bo.socket.call("subscribe_queue", {"queue": "default"})
    assert (await bo.socket.call("subscribe_queue", {"queue_id": "default"}))["queue_id"] == "default"
    await enqueue(studio, tokens["ana"])
    await bo.until("batch_enqueued")
    await bo.socket.call("unsubscribe_queue", {"queue_id": "default"})
    await enqueue(studio, tokens["ana"])
    await enqueue(studio, tokens["bo"])
    await bo.until("batch_enqueued", "batch_enqueued")
    assert [event["user_id"] == "redacted" for event in bo.events("batch_enqueued")] == [True, False]


async def test_whoever_was_away_gets_what_they_missed_in_order(
    studio: Studio, streams: Streaming, tokens: dict[str, str]
) -> None:
    """From the greeting on, although nothing had come by then; others' events by the subscription that is asked for again."""
    before = await streams.connect(tokens["ana"])
    left_at = before.last_event_id
    await before.socket.disconnect()
    for name in ("ana", "bo", "ana", "bo"):
        await enqueue(studio, tokens[name])
    back = await streams.connect(tokens["ana"], last_event_id=left_at, queue_ids=["default"])
    await back.until(*["batch_enqueued"] * 4)
    assert [event["user_id"] == "redacted" for event in back.events("batch_enqueued")] == [False, True, False, True]
    await enqueue(studio, tokens["ana"])
    await back.until(*["batch_enqueued"] * 5)
    assert len({event["event_id"] for event in back.events("batch_enqueued")}) == 5


async def test_an_event_that_is_not_kept_means_to_fetch_everything_anew(streams: Streaming, tokens: dict[str, str]) -> None:
    """Also one that never was, and one of another studio."""
    for unknown in ("0123456789abcdef.0", "nonsense"):
        client = await streams.connect(tokens["ana"], last_event_id=unknown)
        await client.until("refetch")
        assert await client.socket.call("resume", {"last_event_id": unknown}) == {"resumed": False}


async def test_more_than_may_be_missed_means_to_fetch_everything_anew(
    studio: Studio, bus: ProcessBus, tokens: dict[str, str]
) -> None:
    """A replay costs the server something, so there is an end to it."""
    async with streaming(studio, bus, SocketRules(max_replay=2)) as streams:
        first = await streams.connect(tokens["ana"])
        for _ in range(3):
            await enqueue(studio, tokens["ana"])
        await first.until(*["batch_enqueued"] * 3)
        ids = [first.got[0][1]["event_id"], *(event["event_id"] for event in first.events("batch_enqueued"))]
        assert await first.socket.call("resume", {"last_event_id": ids[0]}) == {"resumed": False}
        assert await first.socket.call("resume", {"last_event_id": ids[1]}) == {"resumed": True}
        assert [event["event_id"] for event in first.events("batch_enqueued")[3:]] == ids[2:]


async def test_nobody_connects_without_a_good_token(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> None:
    """None, a false one, and one whose user was suspended."""
    async with studio.begin(await studio.accounts.identify(tokens["root"])) as work:
        bo = next(user for user in (await work.users.slice()).items if user.email == "bo@example.com")
    await studio.accounts.suspend(bo.user_id)
    for token in (None, "false", tokens["bo"]):
        with pytest.raises(socketio.exceptions.ConnectionError):
            await streams.connect(token)
    assert len(streams.server.connections) == 0


async def test_a_suspended_user_is_sent_away_at_once(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> None:
    """Whoever suspends them, and the others stay."""
    ana, bo = await streams.connect(tokens["ana"]), await streams.connect(tokens["bo"])
    await studio.accounts.suspend((await studio.accounts.identify(tokens["bo"])).user_id)
    await until_async(lambda: not bo.socket.connected)
    assert ana.socket.connected
    assert len(streams.server.connections) == 1


async def test_a_key_opens_a_stream_until_it_is_revoked(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> None:
    """If it may read; what its user opened otherwise stays, and an administrator's key hears its user's own events only."""
    root = await studio.accounts.identify(tokens["root"])
    key, blind = [await studio.accounts.create_key(root.user_id, "Watching", [scope]) for scope in ("read", "queue")]
    with pytest.raises(socketio.exceptions.ConnectionError):
        await streams.connect(blind.secret)
    by_key, by_token = await streams.connect(key.secret), await streams.connect(tokens["root"])
    await enqueue(studio, tokens["ana"])
    await by_token.until("batch_enqueued")
    async with studio.begin(root) as work:
        await work.api_keys.delete(key.key.key_id)
    await until_async(lambda: not by_key.socket.connected)
    assert by_key.events("batch_enqueued") == []
    assert by_token.socket.connected


async def test_a_demoted_administrator_gets_what_is_theirs_only(
    studio: Studio, streams: Streaming, tokens: dict[str, str]
) -> None:
    """From the moment of the demotion, on the socket that is open."""
    await studio.accounts.register("other@example.com", "Correct-Horse-9", is_admin=True)
    root = await streams.connect(tokens["root"])
    await studio.accounts.set_admin((await studio.accounts.identify(tokens["root"])).user_id, False)
    await enqueue(studio, tokens["ana"])
    await enqueue(studio, tokens["root"])
    await until_async(lambda: len(root.events("batch_enqueued")) == 1)
    assert root.events("batch_enqueued")[0]["user_id"] == (await studio.accounts.identify(tokens["root"])).user_id


async def test_a_user_opens_so_many_streams_at_most(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """Others can still connect, and so can the user once one is closed."""
    async with streaming(studio, bus, SocketRules(sockets_per_user=1)) as streams:
        first = await streams.connect(tokens["ana"])
        with pytest.raises(socketio.exceptions.ConnectionError):
            await streams.connect(tokens["ana"])
        await streams.connect(tokens["bo"])
        await first.socket.disconnect()
        await until_async(lambda: len(streams.server.connections) == 1)
        await streams.connect(tokens["ana"])


async def test_everybody_is_the_system_user_where_nobody_logs_in(studio: Studio, bus: ProcessBus) -> None:
    """As in the rest of a single-user studio."""
    async with streaming(studio, bus, SocketRules(multiuser=False)) as streams:
        client = await streams.connect(None)
        assert client.got[0][1]["user_id"] == "system"
        assert client.got[0][1]["is_admin"] is True


async def test_progress_is_its_owners_alone_and_is_not_kept(
    studio: Studio, bus: ProcessBus, streams: Streaming, tokens: dict[str, str]
) -> None:
    """Not even an administrator gets it (contract, section 3), and whoever was away does not either."""
    ana, root = await streams.connect(tokens["ana"]), await streams.connect(tokens["root"], queue_ids=["default"])
    left_at, owner = ana.last_event_id, (await studio.accounts.identify(tokens["ana"])).user_id
    progress = QueueItemProgress(timestamp=1, queue_id="default", item_id=1, user_id=owner, fraction=0.5, message="half")
    bus.publish(transient_of(progress, owner))
    await ana.until("queue_item_progress")
    await enqueue(studio, tokens["ana"])
    await root.until("batch_enqueued")
    back = await streams.connect(tokens["ana"], last_event_id=left_at)
    await back.until("batch_enqueued")


async def test_pages_of_other_origins_do_not_connect(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """Unless the settings name them."""
    async with streaming(studio, bus, SocketRules(allowed_origins=("https://studio.example",))) as streams:
        for origin, may in (("https://studio.example", True), ("https://evil.example", False), (streams.url, True)):
            client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
            connecting = client.connect(
                streams.url, headers={"Origin": origin}, auth={"token": tokens["ana"]}, socketio_path="/ws/socket.io"
            )
            if may:
                await connecting
                await client.disconnect()
            else:
                with pytest.raises(socketio.exceptions.ConnectionError):
                    await connecting


async def test_five_minutes_away_lose_nothing_unless_it_is_not_kept_that_long(
    studio: Studio, streams: Streaming, tokens: dict[str, str], clock: Ticking
) -> None:
    """Then the client is told to fetch everything anew, and goes on from there."""
    before = await streams.connect(tokens["ana"])
    left_at = before.last_event_id
    await before.socket.disconnect()
    for _ in range(3):
        await enqueue(studio, tokens["ana"])
        clock.pass_by(minutes=5)
    back = await streams.connect(tokens["ana"], last_event_id=left_at)
    await back.until(*["batch_enqueued"] * 3)
    async with studio.begin(OPERATE) as work:
        assert await work.outbox.prune(timestamp(clock()), 1_000) > 0
    late = await streams.connect(tokens["ana"], last_event_id=left_at)
    await late.until("refetch")
    await enqueue(studio, tokens["ana"])
    await late.until("refetch", "batch_enqueued")
    again = await streams.connect(tokens["ana"], last_event_id=late.events("refetch")[0]["event_id"])
    await again.until("batch_enqueued")
