"""What a bus promises, on each carrier."""

import asyncio
import threading
import time

import psycopg
from structlog.testing import capture_logs

from tenantry.events.bus import Advanced, Message, PostgreSQLBus, Timing, Transient
from tenantry.events.bus.postgresql import channel_of
from tests.integration.events.carriers import QUICK, Carrier, InProcess, PostgreSQL, Server, Valkey, hearing, mentions
from tests.waiting import until_async


def progress(number: int = 0) -> Transient:
    return Transient("progress", "ana", {"step": number, "of": [None, True, "ü", {"nested": 0.5}]})


async def test_each_bus_of_a_studio_hears_what_any_of_them_says_once(carrier: Carrier) -> None:
    """The one that says it too."""
    async with hearing(carrier.bus()) as first_heard, hearing(second := carrier.bus()) as second_heard:
        first_heard.clear()
        async with hearing(third := carrier.bus()):
            third.publish(Advanced())
            await until_async(lambda: len(first_heard) == len(second_heard) == 1)
            second.publish(Advanced())
            # Whatever the first message did too often would have come before the second.
            await until_async(lambda: len(first_heard) == len(second_heard) == 2)
            third.publish(Advanced())
            await until_async(lambda: len(first_heard) == len(second_heard) == 3)
    assert first_heard == second_heard == [Advanced()] * 3


async def test_transient_messages_arrive_once_and_in_order(carrier: Carrier) -> None:
    """At the other buses of this process at least, and at one's own listeners."""
    sent = [progress(number) for number in range(300)]
    async with hearing(first := carrier.bus()) as own, hearing(carrier.bus()) as others:
        for message in sent:
            first.publish(message)
        await until_async(lambda: len(others) >= 300)
        first.publish(Advanced())
        await until_async(lambda: others[-1] == Advanced())
    assert own == others == [*sent, Advanced()]
    assert first.dropped == 0
    assert first.carries_transient is (carrier.name == "valkey")


async def test_other_studios_hear_nothing(carrier: Carrier) -> None:
    """They share a server, and not a namespace."""
    ours, theirs, again = carrier.bus("ours"), carrier.bus("theirs"), carrier.bus("theirs")
    async with hearing(ours) as our_heard, hearing(theirs) as their_heard, hearing(again):
        for bus, number in ((ours, 1), (again, 2)):
            bus.publish(progress(number))
            bus.publish(Advanced())
        await until_async(lambda: len(our_heard) == len(their_heard) == 2)
        # Whatever was heard by mistake would have come before this.
        again.publish(Advanced())
        await until_async(lambda: len(their_heard) == 3)
    assert our_heard == [progress(1), Advanced()]
    assert progress(2) in their_heard
    assert their_heard.count(Advanced()) == 2


async def test_a_namespace_may_be_of_any_length(carrier: Carrier) -> None:
    """Also where two differ only at the end."""
    ours, again, theirs = (carrier.bus("ü" * 100 + end) for end in "aab")
    async with hearing(ours) as heard, hearing(again) as heard_again, hearing(theirs) as others:
        ours.publish(Advanced())
        await until_async(lambda: bool(heard and heard_again))
    assert others == []


async def test_many_hints_become_few_but_one_comes_after_the_last(server: Server) -> None:
    """A server is not told a thousand times in a moment."""
    published = 0
    heard_after: list[int] = []
    async with hearing(first := server.bus()), hearing(second := server.bus()):
        second.listen(lambda _: heard_after.append(published))
        for published in range(1, 1001):  # noqa: B007  (the listener reads it)
            first.publish(Advanced())
            await asyncio.sleep(0)
        await until_async(lambda: bool(heard_after) and heard_after[-1] == 1000)
    assert len(heard_after) < 100


async def test_a_listener_that_raises_stops_nobody(carrier: Carrier) -> None:
    """It is told the next message as well."""
    calls = 0

    def fail(_: Message) -> None:
        nonlocal calls
        calls += 1
        raise ZeroDivisionError

    bus = carrier.bus()
    bus.listen(fail)
    with capture_logs() as logs:
        async with hearing(bus) as heard:
            before = calls
            for _ in range(2):
                bus.publish(progress())
            await until_async(lambda: len(heard) == 2)
    assert calls == before + 2
    assert mentions(logs, "a listener of the bus failed") == calls


async def test_who_stops_listening_is_told_nothing_more(carrier: Carrier) -> None:
    """Not even what was published just before; to stop twice does no harm."""
    async with hearing(bus := carrier.bus()) as heard:
        stopped: list[Message] = []
        stop = bus.listen(stopped.append)
        bus.publish(Advanced())
        stop()
        stop()
        await until_async(lambda: bool(heard))
    assert stopped == []


async def test_what_was_said_last_is_sent_before_closing(carrier: Carrier) -> None:
    """A command opens the bus, says one thing, and closes it; a closed bus tells nobody anything and harms nobody."""
    async with hearing(carrier.bus()) as heard:
        async with carrier.bus() as brief:
            brief.publish(Advanced())
        await until_async(lambda: bool(heard))
        own: list[Message] = []
        brief.listen(own.append)
        assert not brief.connected
        brief.publish(Advanced())
        brief.publish(progress())
        await until_async(lambda: True)
        assert own == []


async def test_a_bus_on_another_loop_hears_as_well(carrier: Carrier) -> None:
    """One loop cannot call into another."""
    ready, heard_there, loops = threading.Event(), threading.Event(), set[int]()

    async def elsewhere() -> None:
        async with hearing(other := carrier.bus()) as heard:
            other.listen(lambda _: loops.add(threading.get_ident()))
            ready.set()
            await until_async(lambda: Advanced() in heard)
            heard_there.set()

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    async with hearing(bus := carrier.bus()):
        await until_async(ready.is_set)
        bus.publish(Advanced())
        await until_async(heard_there.is_set)
    await asyncio.to_thread(thread.join)
    assert loops == {thread.ident}


async def test_what_is_no_message_is_ignored(server: Server) -> None:
    """And said in the log once, however much of it comes."""
    with capture_logs() as logs:
        async with hearing(first := server.bus()), hearing(server.bus()) as heard:
            for garbage in ("nonsense", "tenantry1 x transient\n[]", "tenantry1 x transient\n{", "tenantry2 x advanced"):
                await server.say(garbage)
            first.publish(Advanced())
            await until_async(lambda: bool(heard))
    assert heard == [Advanced()]
    assert mentions(logs, "no message") == 2


async def test_previews_are_carried_by_valkey(valkey_carrier: Valkey) -> None:
    """Up to a limit; one beyond it is given up, and so is what JSON does not have."""
    preview = Transient("preview", "ana", {"image": "x" * 4 * 1024 * 1024})
    with capture_logs() as logs:
        async with hearing(first := valkey_carrier.bus()) as own, hearing(valkey_carrier.bus()) as others:
            for payload in ({"image": "x" * 9 * 1024 * 1024}, {"loss": float("nan")}, {"when": object()}):
                first.publish(Transient("preview", "ana", payload))
            first.publish(preview)
            await until_async(lambda: bool(others))
    assert others == [preview]
    assert len(own) == 4
    assert first.dropped == 3
    assert mentions(logs, "cannot carry") == 1


async def test_whoever_listens_on_postgresql_learns_nothing(postgresql_carrier: PostgreSQL) -> None:
    """Every login of the server may; a hint has no content, and the rest stays in the process."""
    async with await psycopg.AsyncConnection.connect(postgresql_carrier.url, autocommit=True) as stranger:
        await stranger.execute(f"LISTEN {channel_of('studio')}")
        async with hearing(bus := postgresql_carrier.bus()) as heard:
            for number in range(3):
                bus.publish(progress(number))
            bus.publish(Advanced())
            await until_async(lambda: len(heard) == 4)
        async for said in stranger.notifies(timeout=20, stop_after=1):
            assert said.payload == ""
        assert [said async for said in stranger.notifies(timeout=0)] == []


async def test_a_database_is_a_studio_of_its_own(postgresql_carrier: PostgreSQL) -> None:
    """Also within the process, and under the same namespace."""
    with psycopg.connect(postgresql_carrier.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS elsewhere")
        connection.execute("CREATE DATABASE elsewhere")
    other = PostgreSQLBus(postgresql_carrier.url.replace("/postgres?", "/elsewhere?"), "studio", QUICK)
    async with hearing(ours := postgresql_carrier.bus()) as heard, hearing(other) as others:
        ours.publish(progress(1))
        ours.publish(Advanced())
        other.publish(progress(2))
        other.publish(Advanced())
        await until_async(lambda: len(heard) == len(others) == 2)
    assert (heard, others) == ([progress(1), Advanced()], [progress(2), Advanced()])


async def test_a_quiet_connection_stays(server: Server) -> None:
    """Its other end is asked whether it is there, and is."""
    with capture_logs() as logs:
        async with hearing(first := server.bus(timing=Timing(alive=0.2))), hearing(server.bus()) as heard:
            # Longer than a connection may be silent unasked.
            long_ago = time.monotonic()
            await until_async(lambda: time.monotonic() > long_ago + 0.6)
            assert first.connected
            first.publish(Advanced())
            await until_async(lambda: bool(heard))
    assert mentions(logs, "cut off") == 0


def test_a_bus_within_the_process_is_always_connected() -> None:
    """While it is open."""
    assert not InProcess().bus().connected
