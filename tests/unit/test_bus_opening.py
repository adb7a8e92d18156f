"""Which bus a studio gets, and when it tries to connect."""

import sys
from itertools import islice

import pytest

from tenantry.errors import InvalidInput
from tenantry.events.bus import PostgreSQLBus, ProcessBus, Timing, ValkeyBus, open_bus
from tenantry.events.bus.reconnecting import waiting


def test_the_waits_between_two_tries_double_up_to_a_limit() -> None:
    """A server that comes back is found soon, one that does not is left alone."""
    assert list(islice(waiting(Timing()), 9)) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


@pytest.mark.parametrize(
    ("url", "listening", "kind"),
    [
        (None, None, ProcessBus),
        (None, "postgresql://db/studio", PostgreSQLBus),
        ("redis://localhost", None, ValkeyBus),
        ("valkeys://:secret@localhost:6380/1", "postgresql://db/studio", ValkeyBus),
        ("REDISS://localhost", None, ValkeyBus),
    ],
)
def test_the_bus_goes_by_its_address(url: str | None, listening: str | None, kind: type) -> None:
    """And without one, by the database."""
    assert isinstance(open_bus(url, listening, "studio"), kind)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "amqp://:secret@localhost", "valkey://:secret@localhost:port", "redis://[secret"]
)
def test_another_address_is_refused(url: str) -> None:
    """Without showing it, because it may hold a password."""
    with pytest.raises(InvalidInput) as caught:
        open_bus(url, None, "studio")
    assert caught.value.field == "bus"
    assert "TENANTRY_BUS" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client for Valkey is optional."""
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(InvalidInput, match="tenantry\\[valkey\\]"):
        open_bus("valkey://localhost", None, "studio")
