"""The socket that a server listens on."""

import socket

import pytest

from tenantry.api.serve import listen
from tenantry.errors import InvalidInput


def test_answers_are_sent_at_once() -> None:
    """asyncio switches off Nagle's algorithm only for sockets that name their protocol."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_an_address_that_cannot_be_listened_on_is_named() -> None:
    """In use, or not this machine's."""
    with listen("127.0.0.1", 0) as listening, pytest.raises(InvalidInput, match="TENANTRY_PORT"):
        listen("127.0.0.1", listening.getsockname()[1])
    with pytest.raises(InvalidInput, match="TENANTRY_HOST"):
        listen("203.0.113.7", 0)
