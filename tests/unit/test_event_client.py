"""What the client of event streams makes of what a server says."""

from itertools import islice

import pytest

from tenantry.events import EVENT_TYPES, Event, Refetch, StreamTiming
from tenantry.events.client.buffer import Buffer
from tenantry.events.client.messages import Connected, read
from tenantry.events.client.timing import waits
from tenantry.events.types import Others
from tests.unit.test_event_types import event_of

WORKFLOW = {"timestamp": 1, "workflow_id": "w", "user_id": "ana", "is_public": False}


def numbered(event_id: str | None) -> Event:
    event = read("workflow_deleted", WORKFLOW | {"event_id": event_id})
    assert isinstance(event, Event)
    return event


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES.keys())
def test_each_event_comes_back_as_it_was_sent(kind: type[Event]) -> None:
    """Whole, redacted, and from a server that has more to say."""
    whole = event_of(kind)
    for event in [whole, whole.redacted()] if kind.others is Others.REDACTED else [whole]:
        payload = event.model_dump(mode="json")
        assert read(kind.name, payload) == event
        parts = {name: payload[name] | {"new": 1} for name in ("batch_status", "queue_status") if name in payload}
        assert read(kind.name, payload | parts | {"new": 1}) == event


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("something_new", WORKFLOW),
        ("workflow_deleted", {"timestamp": "soon"}),
        ("workflow_deleted", None),
        ("workflow_deleted", "text"),
        ("refetch", {}),
    ],
)
def test_what_cannot_be_read_is_left_out(name: str, payload: object) -> None:
    """And does not end the stream."""
    assert read(name, payload) is None


def test_the_servers_own_messages_are_told_from_events() -> None:
    """The greeting, and that everything is to be fetched anew; both say where the stream is."""
    assert read("connected", {"event_id": "a.0", "user_id": "ana", "is_admin": False}) == Connected(event_id="a.0")
    assert read("refetch", {"event_id": "a.0"}) == Refetch(event_id="a.0")


def test_nothing_waits_twice() -> None:
    """Unless everything begins anew, and ids with it."""
    buffer = Buffer(10, None)
    buffer.begin_at("start")
    for event in (numbered("a"), numbered("b"), numbered("a"), Refetch(event_id="r"), numbered("a")):
        buffer.add(event)
    assert (buffer.newest_id, buffer.taken_id) == ("a", "start")
    assert [buffer.take().event_id for _ in range(len(buffer))] == ["a", "b", "r", "a"]
    assert buffer.taken_id == "a"


def test_a_stream_that_goes_on_does_not_begin_at_the_greeting() -> None:
    """What lies between is still to come, and would be lost if the connection were."""
    buffer = Buffer(10, "then")
    buffer.begin_at("now")
    assert (buffer.newest_id, buffer.taken_id) == ("then", "then")


def test_passing_events_do_not_fill_it() -> None:
    """Those that are kept do, and then it is full."""
    buffer = Buffer(60, None)
    for _ in range(100):
        buffer.add(numbered(None))
    assert len(buffer) == 50
    for number in range(10):
        assert not buffer.full
        buffer.add(numbered(str(number)))
    assert buffer.full


def test_waits_grow_up_to_the_longest() -> None:
    """And are spread between half of it and all of it."""
    timing = StreamTiming(first_wait=1, longest_wait=5)
    assert list(islice(waits(timing, lambda: 1.0), 5)) == [1, 2, 4, 5, 5]
    assert list(islice(waits(timing, lambda: 0.0), 3)) == [0.5, 1, 2]
