"""Event streams when something goes wrong in between: one's fault is not another's, and nobody waits for ever."""

from collections.abc import AsyncIterator

import pytest

from tenantry import Studio
from tenantry.errors import AuthenticationFailed
from tenantry.events.bus import ProcessBus
from tenantry.tenancy import Principal
from tests.integration.events.streaming import Streaming, streaming
from tests.waiting import until_async


@pytest.fixture
async def streams(studio: Studio) -> AsyncIterator[Streaming]:
    async with ProcessBus("studio") as bus, streaming(studio, bus) as streams:
        yield streams


@pytest.fixture
async def tokens(studio: Studio) -> list[str]:
    """Ana's and Bo's."""
    users = [await studio.accounts.register(f"{name}@example.com", "Correct-Horse-9") for name in ("ana", "bo")]
    return [await studio.accounts.issue(user) for user in users]


async def test_who_leaves_while_sent_away_takes_nobody_along(
    studio: Studio, streams: Streaming, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library closes all sockets when it is asked to close none."""
    ana, bo = [await streams.connect(token) for token in tokens]
    identify = studio.accounts.identify

    async def after_leaving(token: str) -> Principal:
        if token == tokens[0]:
            return await identify(token)
        await bo.socket.disconnect()
        await until_async(lambda: len(streams.server.connections) == 1)
        raise AuthenticationFailed

    monkeypatch.setattr(studio.accounts, "identify", after_leaving)
    await streams.server._authorizing.review(streams.server.connections)
    for _ in range(2):
        assert "event_id" in await ana.socket.call("subscribe_queue", {"queue_id": "default"}, timeout=5)
