"""Clients that read slowly, or not at all, or send what nobody asked for: they cost the server little, and others nothing."""

import json
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tenantry import Studio
from tenantry.events.bus import Bus, ProcessBus
from tenantry.events.sockets import SocketRules
from tenantry.events.transient import transient_of
from tenantry.events.types.running import QueueItemProgress
from tenantry.queue import Batch
from tests.integration.events.raw import raw_client
from tests.integration.events.streaming import Streaming, streaming
from tests.waiting import until_async

GRAPH: dict[str, object] = {"nodes": {}}
TIGHT = SocketRules(max_waiting=20, max_waiting_previews=5)
PREVIEW = "x" * 500_000
"""Large enough that the system's own buffers are soon full."""


async def fill(bus: Bus, streams: Streaming, user_id: str) -> None:
    """Send previews until some are left out because they are not read."""
    event = QueueItemProgress(timestamp=1, queue_id="default", item_id=1, user_id=user_id, fraction=0.5, message=PREVIEW)

    sending, published = streams.server.sending, 0
    begun = sending.sent

    def publish_until_dropped() -> bool:
        nonlocal published
        if sending.sent - begun + sending.dropped == published:
            bus.publish(transient_of(event, user_id))
            published += 1
        return sending.dropped > 3

    await until_async(publish_until_dropped)


async def enqueue(studio: Studio, token: str, batches: int) -> None:
    for _ in range(batches):
        async with studio.begin(await studio.accounts.identify(token)) as work:
            await work.queue.enqueue(Batch(graph=GRAPH))


async def test_who_does_not_read_holds_little_and_gets_the_rest_once_it_reads(
    studio: Studio, bus: ProcessBus, tokens: dict[str, str]
) -> None:
    """Previews are dropped first; events are left out of its queue, and sent in order when there is room, each once."""
    async with streaming(studio, bus, TIGHT) as streams, raw_client(streams.url, tokens["ana"]) as slow:
        (connection,) = streams.server.connections
        await fill(bus, streams, connection.principal.user_id)
        quick = await streams.connect(tokens["ana"])
        assert connection.waiting() <= TIGHT.max_waiting_previews + 1
        await enqueue(studio, tokens["ana"], 60)
        await until_async(lambda: len(quick.events("batch_enqueued")) == 60)
        assert connection.is_catching_up
        assert connection.waiting() <= TIGHT.max_waiting + 1
        got: list[dict[str, Any]] = []
        while len(got) < 60:
            name, payload = await slow.next()
            got += [payload] if name == "batch_enqueued" else []
        assert got == quick.events("batch_enqueued")
        await enqueue(studio, tokens["ana"], 1)
        assert (await slow.next())[0] == "batch_enqueued"
        assert not connection.is_catching_up


async def test_who_does_not_read_is_forgotten_when_sent_away(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """It gets nothing more, whether it ever reads that it has been sent away or not."""
    async with streaming(studio, bus, TIGHT) as streams, raw_client(streams.url, tokens["ana"]):
        (connection,) = streams.server.connections
        await fill(bus, streams, connection.principal.user_id)
        waiting = connection.waiting()
        await studio.accounts.suspend(connection.principal.user_id)
        await until_async(lambda: len(streams.server.connections) == 0)
        await enqueue(studio, tokens["bo"], 1)
        assert connection.waiting() <= waiting + 2


async def test_who_does_not_poll_holds_little(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """The same for the other transport, to the next poll, which gets what there is room for."""
    async with streaming(studio, bus, TIGHT) as streams, httpx.AsyncClient(base_url=streams.url) as client:
        address = "/ws/socket.io/?EIO=4&transport=polling"
        sid = json.loads((await client.get(address)).text[1:])["sid"]
        assert (await client.post(f"{address}&sid={sid}", content="40" + json.dumps({"token": tokens["ana"]}))).text == "OK"
        await until_async(lambda: len(streams.server.connections) == 1)
        (connection,) = streams.server.connections
        await enqueue(studio, tokens["ana"], 60)
        await until_async(lambda: connection.is_catching_up)
        assert connection.waiting() <= TIGHT.max_waiting + 3
        events: list[Any] = []
        while len(events) < 60:
            packets = (await client.get(f"{address}&sid={sid}")).text.split("\x1e")
            events += [json.loads(packet[2:])[1]["event_id"] for packet in packets if packet.startswith('42["batch_enqueued"')]
        assert len(set(events)) == len(events) == 60


@pytest.mark.parametrize("size", [70_000, 2_000_000])
async def test_a_message_that_is_too_large_ends_the_connection(streams: Streaming, tokens: dict[str, str], size: int) -> None:
    """And nobody else's."""
    other = await streams.connect(tokens["bo"])
    async with raw_client(streams.url, tokens["ana"]) as client:
        await client.say('42["subscribe_queue",{"queue_id":"' + "x" * size + '"}]')
        with pytest.raises(ConnectionClosed):
            await client.next()
    await until_async(lambda: len(streams.server.connections) == 1)
    assert other.socket.connected


GARBAGE: list[str] = [
    "42[]",
    "42{}",
    "42[7]",
    '42[{"a":1}]',
    '42["subscribe_queue"]',
    '42["subscribe_queue",null]',
    '42["subscribe_queue",[1,2],3,4]',
    '42["subscribe_queue",{"queue_id":["default"]}]',
    '42["subscribe_queue",{"queue_id":""}]',
    '42["unsubscribe_queue",{"queue_id":7}]',
    '42["resume",{"last_event_id":{}}]',
    '42["resume","0123456789abcdef.0"]',
    '42["nothing of this name",{}]',
    '42["disconnect","client disconnect"]',
    '42["connect",{},{"token":"false"}]',
    "437[]",
    "44{}",
    "49",
    "40{}",
    "42/elsewhere,[]",
    '450-["subscribe_queue"]',
    '451-["subscribe_queue",{"_placeholder":true,"num":0}]',
]


async def test_garbage_changes_nothing(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> None:
    """Messages of wrong shapes, of no name, with attachments that are kept by nobody, and under names that mean something."""
    async with raw_client(streams.url, tokens["ana"]) as client:
        (before,) = streams.server.connections
        for packet in GARBAGE:
            await client.say(packet)
            await client.say(b"an attachment of nothing")
        await client.say('427["subscribe_queue",{"queue_id":"default"}]')
        assert (await client.answer())[0]["queue_id"] == "default"
        assert list(streams.server.connections) == [before]
        assert before.queue_ids == {"default"}
        await enqueue(studio, tokens["ana"], 1)
        assert (await client.next())[0] == "batch_enqueued"


async def test_nobody_becomes_another_on_an_open_connection(studio: Studio, streams: Streaming, tokens: dict[str, str]) -> None:
    """Not even with the other's own token: when that is revoked, nobody would know of this connection."""
    client = await streams.connect(tokens["bo"])
    assert await client.socket.call("connect", ({}, {"token": tokens["ana"]})) is None
    await enqueue(studio, tokens["ana"], 1)
    await enqueue(studio, tokens["bo"], 1)
    await client.until("batch_enqueued")


async def test_subscriptions_are_limited(studio: Studio, bus: ProcessBus, tokens: dict[str, str]) -> None:
    """One that is there already can be asked for again."""
    async with streaming(studio, bus, SocketRules(queues_per_socket=2)) as streams:
        client = await streams.connect(tokens["bo"], queue_ids=["a", "b", "c", 7, None])
        (connection,) = streams.server.connections
        assert connection.queue_ids == {"a", "b"}
        assert "error" in await client.socket.call("subscribe_queue", {"queue_id": "c"})
        assert (await client.socket.call("subscribe_queue", {"queue_id": "a"}))["queue_id"] == "a"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "null", "Host": ""}, 400),
        ({"Origin": "http://["}, 400),
        ({"Origin": "evil"}, 400),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, 400),
    ],
)
async def test_only_its_own_pages_may_connect(streams: Streaming, headers: dict[str, str], status: int) -> None:
    """Whatever else the request says of where it comes from; and no answer lets other pages read it."""
    async with httpx.AsyncClient(base_url=streams.url) as client:
        answer = await client.get("/ws/socket.io/?EIO=4&transport=polling", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
