"""What waits to be sent over a bus."""

from contextlib import suppress

from tenantry.events.bus.outgoing import Outgoing


def test_waiting_is_bounded_and_the_oldest_is_given_up() -> None:
    """By number and by size."""
    outgoing = Outgoing()
    assert sum(outgoing.add(b"%d" % number) for number in range(1200)) == 200
    assert next(outgoing.messages()) == b"200"
    assert outgoing.add(b"x" * 30 * 1024 * 1024) == 0
    assert outgoing.add(b"y" * 30 * 1024 * 1024) == 1000
    assert [message[:1] for message in outgoing.messages()] == [b"y"]
    assert outgoing.sent.is_set()


def test_a_hint_that_failed_or_came_meanwhile_still_waits() -> None:
    """Messages are given up when the carrier is down, a hint never."""
    outgoing = Outgoing()
    outgoing.advance()
    with suppress(ConnectionError), outgoing.advancing() as advanced:
        assert advanced
        raise ConnectionError
    outgoing.add(b"progress")
    assert outgoing.clear() == 1
    assert outgoing.waiting.is_set()
    with outgoing.advancing() as advanced:
        assert advanced
        outgoing.advance()
    assert list(outgoing.messages()) == []
    assert outgoing.waiting.is_set()
    with outgoing.advancing() as advanced:
        assert advanced
    assert list(outgoing.messages()) == []
    assert outgoing.sent.is_set()
    with outgoing.advancing() as advanced:
        assert not advanced
