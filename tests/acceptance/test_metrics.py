"""`/metrics`: for administrators and for the program that has the token; it tells of no user."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tenantry.api import create_app
from tenantry.api.serve import open_studio
from tenantry.api.streams import event_streams
from tenantry.errors import InvalidInput
from tenantry.events.sockets import SocketServer
from tenantry.events.sockets.connections import Connection
from tenantry.events.transient import transient_of
from tenantry.events.types.running import QueueItemProgress
from tenantry.queue import Batch
from tenantry.settings import Settings
from tenantry.tenancy import Principal
from tests.acceptance.conftest import World, client_of
from tests.waiting import until_async, until_awaited

TOKEN = "a token for scraping"
GRAPH: dict[str, object] = {"nodes": {}}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a token for scraping."""
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


@pytest.fixture
async def scraper(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The program that has the token."""
    async with client_of(world.app) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


async def figures(client: httpx.AsyncClient) -> dict[str, float]:
    """Every figure by its name and labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


async def enqueue(world: World) -> None:
    async with world.studio.begin(Principal("ana")) as work:
        await work.queue.enqueue(Batch(graph=GRAPH, runs=2))


async def test_nobody_else_reads_them(world: World) -> None:
    """Neither strangers, nor users, nor whoever guesses; and the answer is a problem document."""
    stranger = await world.anonymous.get("/metrics")
    guess = await world.anonymous.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}!"})
    other = await world.anonymous.get("/metrics", headers={b"authorization": "Bearer \u00e9".encode()})
    user = await world.bo.get("/metrics")
    assert [answer.status_code for answer in (stranger, guess, other, user)] == [401, 401, 401, 403]
    for answer in (stranger, guess, other, user):
        assert answer.headers["content-type"] == "application/problem+json"
        assert "tenantry_" not in answer.text
    assert (await world.root.get("/metrics")).status_code == 200


async def test_the_token_is_for_nothing_else(world: World, scraper: httpx.AsyncClient) -> None:
    """It belongs to no user."""
    assert (await scraper.get("/metrics")).status_code == 200
    assert (await scraper.get("/api/v1/auth/me")).status_code == 401
    assert TOKEN not in repr(world.settings)


async def test_without_a_token_in_the_settings_no_token_is_right(world: World, settings: Settings) -> None:
    """Also not an empty one, which could not be set either."""
    studio = open_studio(settings)
    async with client_of(create_app(studio, settings.model_copy(update={"metrics_token": None}))) as client:
        for token in (TOKEN, "", "None"):
            answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
    await studio.aclose()
    with pytest.raises(InvalidInput):
        Settings.read(metrics_token="")


async def test_what_happens_is_counted(world: World, scraper: httpx.AsyncClient) -> None:
    """Written, waiting, and, once somebody is there to deliver it, delivered."""
    before = await figures(scraper)
    await enqueue(world)
    after = await figures(scraper)
    assert (
        after["tenantry_events_written_total BatchEnqueued"] == before.get("tenantry_events_written_total BatchEnqueued", 0) + 1
    )
    assert after["tenantry_queue_items pending"] == before["tenantry_queue_items pending"] + 2
    assert after["tenantry_workers_alive"] == 0
    assert "tenantry_relay_lag_seconds" not in after
    async with event_streams(world.app, world.studio, world.settings) as server:
        await until_awaited(lambda: _is_settled(server))
        already = server.relay.delivered
        for name, is_admin in (("ana", False), ("bo", False), ("root", True)):
            principal = Principal(name, is_admin=is_admin)
            server.connections.add(Connection(name, "nowhere", principal, None, lambda: 1_000))
        await until_async(lambda: server.bus.connected)
        await enqueue(world)
        await until_async(lambda: server.relay.delivered > already)
        server.bus.publish(transient_of(_progress(), "ana"))
        await until_async(lambda: server.sending.dropped > 0)
        streaming = await figures(scraper)
    assert {name: number for name, number in streaming.items() if "queue" not in name and "written" not in name} == {
        "tenantry_sockets admin": 1,
        "tenantry_sockets user": 2,
        "tenantry_events_relayed_total": already + 1,
        "tenantry_event_copies_sent_total": 2,
        "tenantry_event_copies_dropped_total": 1,
        "tenantry_bus_connected": 1,
        "tenantry_bus_dropped_total": 0,
        "tenantry_relay_lag_seconds": 0,
        "tenantry_workers_alive": 0,
    }


async def test_the_lag_is_the_age_of_what_was_not_delivered(world: World) -> None:
    """Whether it has a place in the order already or not."""
    async with event_streams(world.app, world.studio, world.settings) as server:
        await until_awaited(lambda: _is_settled(server))
        server.relay.position = (0, 0)
        assert await server.relay.lag() > 0


async def test_no_figure_tells_of_a_user(world: World, scraper: httpx.AsyncClient) -> None:
    """No label holds an id or a name."""
    await enqueue(world)
    async with event_streams(world.app, world.studio, world.settings):
        text = (await scraper.get("/metrics")).text
    for name in ("ana", "bo", "root", "system", "default"):
        assert f'"{name}"' not in text


async def _is_settled(server: SocketServer) -> bool:
    """Whether everything that happened before is delivered."""
    return await server.relay.lag() == 0


def _progress() -> QueueItemProgress:
    return QueueItemProgress(timestamp=1, queue_id="default", item_id=1, user_id="ana", fraction=0.5, message="")
