"""What a client is told that is not let in."""

from collections.abc import AsyncIterator

import pytest
import socketio

from tenantry import Studio
from tenantry.events.bus import ProcessBus
from tenantry.events.sockets import SocketRules
from tests.integration.events.streaming import Streaming, streaming


@pytest.fixture
async def streams(studio: Studio) -> AsyncIterator[Streaming]:
    async with ProcessBus("studio") as bus, streaming(studio, bus, SocketRules(sockets_per_user=1)) as streams:
        yield streams


async def refusal(streams: Streaming, token: str | None) -> tuple[str, str]:
    """The code and the remedy of a refusal."""
    client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
    said: list[dict[str, dict[str, str]]] = []
    client.on("connect_error", said.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(streams.url, auth={"token": token}, socketio_path="/ws/socket.io", transports=["websocket"])
    return said[0]["data"]["code"], said[0]["data"]["remedy"]


async def test_a_refusal_says_of_what_kind_it_is(studio: Studio, streams: Streaming) -> None:
    """A program tells by it whether another try makes sense."""
    ana = await studio.accounts.issue(await studio.accounts.register("ana@example.com", "Correct-Horse-9"))
    await streams.connect(ana)
    for token, code in ((None, "authentication_failed"), ("false", "authentication_failed"), (ana, "limit_reached")):
        kind, remedy = await refusal(streams, token)
        assert kind == code
        assert remedy
