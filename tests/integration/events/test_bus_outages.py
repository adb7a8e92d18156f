"""A server of the bus is killed, freezes or was never there: nobody waits for it, and everybody catches up afterwards."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from tenantry.events.bus import Advanced, Bus, PostgreSQLBus, Timing, Transient, ValkeyBus
from tests.integration.events.carriers import QUICK, Server, hearing, mentions
from tests.waiting import until_async

PROGRESS = Transient("progress", "ana", {"step": 1})


async def test_a_bus_outlives_its_server(server: Server) -> None:
    """Who publishes meanwhile does not notice; afterwards everybody is told to catch up, and messages go again."""
    first, second = server.bus(), server.bus()
    with capture_logs() as logs:
        async with hearing(first) as first_heard, hearing(second) as second_heard:
            await asyncio.to_thread(server.kill)
            await until_async(lambda: not first.connected and not second.connected)
            begun = time.monotonic()
            for _ in range(2000):
                first.publish(PROGRESS)
                first.publish(Advanced())
            assert time.monotonic() < begun + 1
            await until_async(lambda: len(first_heard) == 4000)
            first_heard.clear()
            second_heard.clear()
            await asyncio.to_thread(server.start)
            await until_async(lambda: Advanced() in first_heard and Advanced() in second_heard)
            await until_async(lambda: first.connected and second.connected)
            second.publish(PROGRESS)
            await until_async(lambda: PROGRESS in first_heard)
    assert first.dropped == (2000 if first.carries_transient else 0)
    assert second_heard.count(PROGRESS) == 1
    # One line for each bus, though each has tried again and again.
    assert mentions(logs, "cut off") == mentions(logs, "connected again") == 2


async def test_what_was_to_be_said_in_an_outage_is_said_after_it(server: Server) -> None:
    """To those too who were cut off for a shorter time and have caught up too early."""
    late = server.bus(timing=Timing(first_wait=0.5))
    async with hearing(late), hearing(early := server.bus()) as heard:
        await asyncio.to_thread(server.kill)
        await until_async(lambda: not late.connected and not early.connected)
        late.publish(Advanced())
        await asyncio.to_thread(server.start)
        await until_async(lambda: early.connected and Advanced() in heard)
        if not late.connected:
            heard.clear()
        await until_async(lambda: late.connected and Advanced() in heard)


async def test_a_frozen_server_is_noticed(server: Server) -> None:
    """It holds the connection and says nothing; closing does not wait for it."""
    impatient = Timing(first_wait=0.01, longest_wait=0.05, alive=0.3)
    async with hearing(bus := server.bus(timing=impatient)) as heard:
        await asyncio.to_thread(server.freeze)
        try:
            await until_async(lambda: not bus.connected)
            bus.publish(Advanced())
            async with asyncio.timeout(5):
                async with server.bus(timing=impatient) as brief:
                    brief.publish(Advanced())
        finally:
            server.thaw()
        await until_async(lambda: bus.connected and len(heard) >= 2)


@pytest.mark.parametrize(
    "bus",
    [
        PostgreSQLBus("postgresql://ana:secret@127.0.0.1:1/studio", "studio", QUICK),
        ValkeyBus("valkey://:secret@127.0.0.1:1", "studio", QUICK),
    ],
)
async def test_a_server_that_is_not_there_keeps_nobody(bus: Bus) -> None:
    """The bus opens, takes messages and closes at once."""
    with capture_logs() as logs:
        async with asyncio.timeout(5), bus:
            await until_async(lambda: mentions(logs, "cut off") == 1)
            bus.publish(Advanced())
            bus.publish(PROGRESS)
            assert not bus.connected
    assert "secret" not in str(logs)


async def test_a_bus_can_be_closed_at_any_moment_of_connecting(server: Server) -> None:
    """The clients of both servers now and then swallow that they are cancelled."""
    hasty = Timing(closing=0)
    for steps in range(0, 60, 2):
        async with asyncio.timeout(10):
            async with server.bus(timing=hasty) as bus:
                bus.publish(Advanced())
                for _ in range(steps):
                    await asyncio.sleep(0)
