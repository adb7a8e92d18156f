"""`tenantry events`: a user's events as lines, from a server in a process of its own."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import tenantry
from tenantry import Studio
from tenantry.accounts import AccountRules
from tenantry.cli.event_lines import json_line, line
from tenantry.database import DatabaseURL
from tenantry.events import EVENT_TYPES, Refetch
from tenantry.events.types.library import ImageDeleted
from tenantry.queue import Batch
from tenantry.settings import Settings
from tests.acceptance.commands import Command, address, assert_refused
from tests.acceptance.conftest import PASSWORD
from tests.acceptance.processes import Processes
from tests.unit.test_event_types import event_of
from tests.waiting import until_async

ESCAPE = "\x1b[2J\x1b]0;gone\x07\nroot: all is well"


@pytest.fixture
async def studio(database_url: DatabaseURL) -> AsyncIterator[Studio]:
    """A studio with Ana and Bo in it."""
    rules = AccountRules.of(Settings(bcrypt_cost=4))
    async with tenantry.open(database_url, account_rules=rules) as studio:
        for name in ("ana", "bo"):
            await studio.accounts.register(f"{name}@example.com", PASSWORD)
        yield studio


@pytest.fixture
def processes(database_url: DatabaseURL, studio: Studio, tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path, database=address(database_url)) as processes:
        yield processes


async def enqueue(studio: Studio, token: str, origin: str) -> None:
    async with studio.begin(await studio.accounts.identify(token)) as work:
        await work.queue.enqueue(Batch(graph={"nodes": {}}, origin=origin))


async def test_events_are_lines_until_one_has_seen_enough(studio: Studio, processes: Processes) -> None:
    """For people without what steers a terminal, for programs whole; from now on or from an event that they had."""
    url = processes.serve()
    ana = await studio.accounts.sign_in("ana@example.com", PASSWORD)
    shown = ("tenantry", "events", "--url", url)
    people = processes.start(*shown, "--email", "ana@example.com", "--password-stdin", said="people", stdin=PASSWORD)
    other = processes.start(
        *shown, "-f", "--json", "--queue", "default", said="other", TENANTRY_TOKEN=await token_of_bo(studio)
    )
    async with tenantry.events.stream(url, ana) as events:
        start = events.last_event_id
        assert start is not None

        def everybody_is_there() -> bool:
            return "batch_enqueued" in processes.said("people") and "batch_enqueued" in processes.said("other")

        while not everybody_is_there():
            await enqueue(studio, ana, origin=ESCAPE)
            await anext(events)
    programs = processes.start(*shown, "--json", "--since", start, said="programs", TENANTRY_TOKEN=ana)
    await until_async(lambda: "batch_enqueued" in processes.said("programs"))
    for process in (people, other, programs):
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "batch_enqueued" in processes.said("people").splitlines()[0]
    assert "queue_id=default" in processes.said("people")
    assert not any(mark in processes.said("people") for mark in "\x1b\x07\r")
    first = json.loads(processes.said("programs").splitlines()[0])
    assert (first["event"], first["origin"]) == ("batch_enqueued", ESCAPE)
    assert json.loads(processes.said("other").splitlines()[0])["user_id"] == "redacted"


async def token_of_bo(studio: Studio) -> str:
    return await studio.accounts.sign_in("bo@example.com", PASSWORD)


async def test_who_one_is_not_is_said_in_one_line(studio: Studio, processes: Processes, run: Command) -> None:
    """No token, a false password, nobody there; and nothing is printed."""
    url = processes.serve()
    assert_refused(await asyncio.to_thread(run, "events", "--url", url), "--email", "TENANTRY_TOKEN")
    assert_refused(await asyncio.to_thread(run, "events", "--url", "http://127.0.0.1:9"), "no answer", "tenantry serve")
    assert_refused(await asyncio.to_thread(run, "events", "--url", "studio"), "url", "http://127.0.0.1:9100")
    assert_refused(await asyncio.to_thread(run, "events", "--url", url, "--email", "ana@example.com"), "--password-stdin")
    words = ("tenantry", "events", "--url", url, "--email", "ana@example.com", "--password-stdin")
    false = processes.start(*words, said="false", stdin="Wrong-Horse-9\n")
    assert false.wait(20) == 2
    assert processes.said("false").startswith("tenantry: The e-mail address or the password is wrong.")


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES.keys())
def test_every_event_is_a_line(kind: type[tenantry.events.Event]) -> None:
    """For people and for programs."""
    event = event_of(kind)
    assert kind.name in line(event)
    assert json.loads(json_line(event))["event"] == kind.name


def test_a_line_says_what_tells_most() -> None:
    """The first of many names, texts cut off, no control characters; and where something was missed for good."""
    names = ["a b", ESCAPE, *(f"{number}.png" for number in range(8))]
    text = line(ImageDeleted(timestamp=0, event_id="x.0", user_id="ana", names=names, board_id=None))
    assert text.isprintable()
    assert 'names="a b",' in text
    assert text.endswith(",0.png,1.png,2.png,+5")
    assert "x.0" not in text
    assert line(Refetch(event_id="x.0")).endswith("  refetch")
    assert json_line(Refetch(event_id="x.0")) == '{"event": "refetch", "event_id": "x.0"}'
