"""The client of event streams, against a real server that goes away, sends away, and comes back."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tenantry import Studio
from tenantry.errors import AuthenticationFailed, InvalidInput, ServerUnavailable
from tenantry.events import EventStream, Refetch, StreamTiming, queue, running, stream
from tenantry.events.bus import ProcessBus
from tenantry.events.sockets import SocketRules
from tenantry.events.transient import transient_of
from tenantry.queue import Batch
from tests.integration.events.streaming import Streaming, streaming
from tests.waiting import until_async

QUICK = StreamTiming(connecting=5, first_wait=0.01, longest_wait=0.05)
GRAPH: dict[str, object] = {"nodes": {}}


@pytest.fixture
async def bus() -> AsyncIterator[ProcessBus]:
    async with ProcessBus("studio") as bus:
        yield bus


@pytest.fixture
async def streams(studio: Studio, bus: ProcessBus) -> AsyncIterator[Streaming]:
    async with streaming(studio, bus) as streams:
        yield streams


@pytest.fixture
async def token(studio: Studio) -> str:
    """A token of Ana's."""
    return await studio.accounts.issue(await studio.accounts.register("ana@example.com", "Correct-Horse-9"))


async def enqueue(studio: Studio, token: str, *batches: str) -> None:
    """Queue batches of these names, one after the other."""
    principal = await studio.accounts.identify(token)
    for name in batches:
        async with studio.begin(principal) as work:
            await work.queue.enqueue(Batch(graph=GRAPH, batch_id=name))


async def next_batch(events: EventStream) -> queue.BatchEnqueued:
    """The next of its kind."""
    while True:
        event = await asyncio.wait_for(anext(events), 20)
        if isinstance(event, queue.BatchEnqueued):
            return event


async def take(events: EventStream, many: int) -> list[str]:
    """The batches of so many events."""
    return [(await next_batch(events)).batch_id for _ in range(many)]


async def test_events_are_values_of_their_types(studio: Studio, streams: Streaming, token: str) -> None:
    """From the moment of connecting; a subscriber gets others' without what is theirs."""
    bo = await studio.accounts.issue(await studio.accounts.register("bo@example.com", "Correct-Horse-9"))
    async with (
        stream(streams.url, token, timing=QUICK) as own,
        stream(streams.url + "/", bo, queue_ids=["default"]) as others,
    ):
        await enqueue(studio, token, "one")
        event, redacted = await next_batch(own), await next_batch(others)
    assert (event.batch_id, event.enqueued) == ("one", 1)
    assert redacted == event.redacted()
    assert own.last_event_id == event.event_id


async def test_a_loop_that_is_left_hangs_up(studio: Studio, streams: Streaming, token: str) -> None:
    """Also without a block; and a stream that is closed ends."""
    async with stream(streams.url, token) as closed:
        start = closed.last_event_id
    with pytest.raises(StopAsyncIteration):
        await anext(closed)
    await enqueue(studio, token, "one", "two")
    async with asyncio.timeout(20):
        async for event in stream(streams.url, token, last_event_id=start):
            if isinstance(event, queue.BatchEnqueued):
                break
    await until_async(lambda: len(streams.server.connections) == 0)


async def test_what_happens_while_the_connection_is_lost_comes_in_order_and_once(
    studio: Studio, streams: Streaming, token: str
) -> None:
    """However often it is lost."""
    async with stream(streams.url, token, timing=QUICK) as events:
        taken = []
        for turn in range(5):
            await enqueue(studio, token, f"{turn}a")
            await streams.server.send_all_away()
            await enqueue(studio, token, f"{turn}b", f"{turn}c")
            taken += await take(events, 3)
        await enqueue(studio, token, "last")
        taken += await take(events, 1)
    assert taken == [*(f"{turn}{name}" for turn in range(5) for name in "abc"), "last"]


async def test_a_server_that_was_away_is_found_again(studio: Studio, bus: ProcessBus, token: str) -> None:
    """By whoever waits in small portions too; nothing is missed that happened before it came back."""
    async with streaming(studio, bus) as first:
        port = int(first.url.rpartition(":")[2])
        events = stream(first.url, token, timing=QUICK)
        await events.__aenter__()
    await enqueue(studio, token, "away")
    for _ in range(20):
        with suppress(TimeoutError):
            assert not isinstance(await asyncio.wait_for(anext(events), 0.005), queue.BatchEnqueued)
    async with streaming(studio, bus, port=port):
        await enqueue(studio, token, "back")
        assert await take(events, 2) == ["away", "back"]
        await events.aclose()


async def test_a_stream_that_gives_up_says_so(studio: Studio, bus: ProcessBus, token: str) -> None:
    """At once where no server ever answered, later after as long as was asked for; and can be asked again."""
    async with streaming(studio, bus) as streams:
        events = stream(streams.url, token, give_up_after=0.1, timing=QUICK)
        await events.__aenter__()
    for _ in range(2):
        with pytest.raises(ServerUnavailable, match="no answer"):
            await asyncio.wait_for(anext(events), 20)
    await events.aclose()
    with pytest.raises(ServerUnavailable, match="tenantry serve"):
        async with stream(streams.url, token):
            pass
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_token_that_is_not_accepted_is_not_tried_again(studio: Studio, streams: Streaming, token: str) -> None:
    """Neither a false one nor one that ends meanwhile."""
    for false in (None, "false"):
        with pytest.raises(AuthenticationFailed):
            async with stream(streams.url, false):
                pass
    async with stream(streams.url, token, timing=QUICK) as events:
        await studio.accounts.suspend((await studio.accounts.identify(token)).user_id)
        with pytest.raises(AuthenticationFailed):
            await next_batch(events)


async def test_what_is_not_kept_means_to_fetch_everything_anew(studio: Studio, streams: Streaming, token: str) -> None:
    """And the stream goes on from there."""
    async with stream(streams.url, token, last_event_id="0123456789abcdef.0", timing=QUICK) as events:
        assert isinstance(await anext(events), Refetch)
        await streams.server.send_all_away()
        await enqueue(studio, token, "one")
        assert await take(events, 1) == ["one"]


async def test_a_slow_program_holds_so_many_events_at_most(studio: Studio, bus: ProcessBus, token: str) -> None:
    """The server holds none of them for it either; and it gets them all once it takes them."""
    names = [str(number) for number in range(60)]
    async with (
        streaming(studio, bus) as streams,
        stream(streams.url, token, most_waiting=8, timing=QUICK) as events,
    ):
        await enqueue(studio, token, *names)
        await until_async(lambda: len(streams.server.connections) == 0)
        assert len(events._buffer) == 8
        assert await take(events, 60) == names


async def test_passing_events_wait_for_nobody(studio: Studio, bus: ProcessBus, streams: Streaming, token: str) -> None:
    """They come as they are told, and of too many some are left out, but no others for their sake."""
    owner = (await studio.accounts.identify(token)).user_id
    async with stream(streams.url, token, timing=QUICK) as events:
        for number in range(200):
            progress = running.QueueItemProgress(
                timestamp=1, queue_id="default", item_id=number, user_id=owner, fraction=0.5, message="half"
            )
            bus.publish(transient_of(progress, owner))
        await enqueue(studio, token, "one")
        await until_async(lambda: events._buffer.newest_id != events.last_event_id)
        await enqueue(studio, token, "two")
        passing = []
        while not isinstance(event := await asyncio.wait_for(anext(events), 20), queue.BatchEnqueued):
            if isinstance(event, running.QueueItemProgress):
                passing.append(event.item_id)
        assert await take(events, 1) == ["two"]
    assert event.batch_id == "one"
    assert 0 < len(passing) <= 50
    assert passing == sorted(passing)


@pytest.mark.parametrize("url", ["", "studio", "ftp://studio", "http://", "http://studio:nine", "http://["])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Before anything is tried."""
    with pytest.raises(InvalidInput, match="url"):
        stream(url, None)


async def test_another_server_is_told_from_one_with_streams(token: str) -> None:
    """As something that does not answer."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(ServerUnavailable, match="no answer") as refused:
            async with stream(f"http://ana:secret@127.0.0.1:{port}", token):
                pass
    assert "secret" not in str(refused.value)


def test_the_types_are_there_without_the_client_of_sockets() -> None:
    """Which takes longer to load than everything else."""
    program = "import sys, tenantry.events; print('socketio' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_no_events_that_wait_are_refused() -> None:
    """There is nothing that it could mean."""
    with pytest.raises(InvalidInput, match="most_waiting"):
        stream("http://studio", None, most_waiting=0)


async def test_a_server_that_only_lets_in_so_many_is_tried_again(studio: Studio, bus: ProcessBus, token: str) -> None:
    """It is no fault of the token's."""
    async with streaming(studio, bus, SocketRules(sockets_per_user=1)) as streams, stream(streams.url, token) as events:
        with pytest.raises(ServerUnavailable, match="Too many"):
            async with stream(streams.url, token):
                pass
        await enqueue(studio, token, "one")
        assert await take(events, 1) == ["one"]
