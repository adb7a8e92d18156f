"""How a message is written for a carrier, and read."""

import pytest

from tenantry.events.bus.port import Advanced, Message, Transient
from tenantry.events.bus.wire import LONGEST, decode, encode, sender


@pytest.mark.parametrize(
    "message", [Advanced(), Transient("progress", "ana", {}), Transient("a\nb", "ü\ud800", {"x": [1, 2.5, None, {"y": "\n"}]})]
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    """And by whom it was sent is known without reading all of it."""
    data = encode(message, "me")
    assert decode(data) == message
    assert sender(data) == "me"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xff\xfe \x00 advanced",
        b"tenantry1 me",
        b"tenantry2 me advanced",
        b"tenantry1 me advanced\nmore",
        b"tenantry1 me unheard-of\n{}",
        b"tenantry1 me transient",
        b"tenantry1 me transient\n{",
        b"tenantry1 me transient\n\xff",
        b"tenantry1 me transient\n[]",
        b"tenantry1 me transient\n" + b"[" * 100_000,
        b'tenantry1 me transient\n{"name": "n", "user_id": "ana"}',
        b'tenantry1 me transient\n{"name": "n", "user_id": 1, "payload": {}}',
        b'tenantry1 me transient\n{"name": "n", "user_id": "ana", "payload": []}',
        b'tenantry1 me transient\n{"name": "n", "user_id": "ana", "payload": {"x": "' + b"x" * LONGEST + b'"}}',
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """Whoever reaches the server may have written it."""
    with pytest.raises(ValueError, match=r"\w"):
        decode(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, "x" * LONGEST])
def test_what_cannot_be_carried_is_refused(value: object) -> None:
    """With words for the log that do not quote it."""
    with pytest.raises(ValueError, match=r"JSON|longer") as caught:
        encode(Transient("progress", "ana", {"value": value}), "me")
    assert len(str(caught.value)) < 100
