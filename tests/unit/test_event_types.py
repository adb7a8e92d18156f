"""Every type of event states who gets it and what others get, or does not import."""

import pytest

from tenantry.events.audience import Reach, Viewers, forms_of, rooms_of
from tenantry.events.places import Places
from tenantry.events.telling import TELLING
from tenantry.events.types import EVENT_TYPES, Audience, Event, Others, queue
from tenantry.events.types.base import Hidden, Shown
from tenantry.queue import changes as queue_changes
from tenantry.repositories.changes import Change

SECRET = "of the owner alone"


def _value(name: str, annotation: object) -> object:
    """Something that says whose it is, of a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, queue.BatchStatus | queue.QueueStatus):
        return {key: _value(key, field.annotation) for key, field in annotation.model_fields.items()}
    text = str(annotation)
    if "dict[str, list[int]]" in text:
        return {SECRET: [7_777_777]}
    if "dict" in text:
        return {SECRET: SECRET}
    if "list[int]" in text:
        return [7_777_777]
    if "list" in text:
        return [SECRET]
    if annotation in (int, float, bool) or "int" in text or "float" in text:
        return 1
    return SECRET


def event_of(kind: type[Event]) -> Event:
    return kind(**{name: _value(name, field.annotation) for name, field in kind.model_fields.items() if name != "event_id"})


def _rooms(who: str) -> frozenset[str]:
    return rooms_of(who, is_admin=who == "root", queue_ids=["default"] if who == "subscriber" else [])


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES.keys())
def test_each_event_reaches_its_audience_and_nobody_else(kind: type[Event]) -> None:
    """Strangers get nothing of any event, subscribers a redacted copy of the queue's, and owners and administrators theirs."""
    event = event_of(kind)
    reach = Reach("ana", queue_id="default", viewers=Viewers(frozenset({"viewer"})), is_public=False)
    got = {
        who: next((form.event for form in forms_of(event, reach) if not form.rooms.isdisjoint(_rooms(who))), None)
        for who in ("ana", "root", "stranger", "subscriber", "viewer")
    }
    assert got["ana"] == (None if kind.audience in {Audience.NOBODY, Audience.ADMINS} else event)
    assert got["root"] == (None if kind.audience in {Audience.NOBODY, Audience.OWNER} else event)
    assert got["stranger"] is None
    assert got["subscriber"] == (event.redacted() if kind.audience is Audience.QUEUE else None)
    assert got["viewer"] == (event.redacted() if kind.audience is Audience.BOARD else None)


@pytest.mark.parametrize("kind", [kind for kind in EVENT_TYPES.values() if kind.audience is Audience.QUEUE])
def test_what_subscribers_get_of_others_items_holds_nothing_of_theirs(kind: type[Event]) -> None:
    """Every text that is the owner's is gone; what stays is the queue's name, an item's number, status and times."""
    event = event_of(kind)
    shown = {"queue_id", "status", "created_at", "updated_at", "started_at", "completed_at"}
    others = event.redacted().model_dump()
    parts = [others, *(part for part in others.values() if isinstance(part, dict))]
    left = {name for part in parts for name, value in part.items() if SECRET in str(value) and not isinstance(value, dict)}
    assert left <= shown
    assert "7777777" not in str(others)


def test_a_public_workflow_is_everybodys_to_hear_of() -> None:
    """And a private one is not."""
    event = event_of(EVENT_TYPES["workflow_created"])
    public = forms_of(event, Reach("ana", is_public=True))
    assert [form.event for form in public if not form.rooms.isdisjoint(_rooms("stranger"))] == [event]


def test_a_type_without_an_audience_does_not_import() -> None:
    """Nor one that leaves open what others get, or marks no field."""
    with pytest.raises(TypeError, match="must state its name"):

        class Unstated(Event):
            pass

    with pytest.raises(TypeError, match="does not fit"):

        class Unfitting(Event, name="unfitting", audience=Audience.QUEUE, others=Others.NOTHING):
            pass

    with pytest.raises(TypeError, match="must be marked"):

        class Unmarked(Event, name="unmarked", audience=Audience.QUEUE, others=Others.REDACTED):
            queue_id: Shown[str]
            prompt: str

    with pytest.raises(TypeError, match="another event of this name"):

        class Twice(Event, name="batch_enqueued", audience=Audience.QUEUE, others=Others.REDACTED):
            prompt: Hidden[str | None]


def test_every_change_is_told() -> None:
    """A change that a repository records and that nobody tells of is named here."""
    assert queue_changes is not None
    kinds = {kind.__name__ for kind in Change.__subclasses__()}
    assert sorted(kinds - set(TELLING)) == []


def test_event_ids_lead_back_to_their_places_and_tell_nothing() -> None:
    """Ids of neighbours have nothing in common, and an id of another studio names a place that never was."""
    places = Places("one")
    ids = [places.write(place, 3) for place in range(1, 200)]
    assert [places.read(event_id) for event_id in ids] == [(place, 3) for place in range(1, 200)]
    assert len({event_id[:4] for event_id in ids}) > 190
    foreign = Places("other").read(ids[0])
    assert foreign is not None
    assert foreign[0] > 1_000_000


@pytest.mark.parametrize("text", ["", "1", "x" * 16 + ".0", "0" * 16, "0" * 16 + ".", "0" * 16 + ".-1", "0" * 16 + ".²"])
def test_what_is_no_event_id_is_none(text: str) -> None:
    """Whatever a client sends."""
    assert Places("one").read(text) is None
