"""Whose address a request is counted for when proxies pass it on."""

import pytest
from starlette.types import Message, Scope

from tenantry.api.proxies import Proxied
from tenantry.settings import Settings


async def seen(peer: str, trusted: str, *headers: tuple[str, str], kind: str = "http") -> tuple[str, str]:
    """Scheme and client's address as the application sees them."""
    scopes: list[Scope] = []

    async def application(scope: Scope, _: object, __: object) -> None:
        scopes.append(scope)

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    sent = [(name.encode(), value.encode()) for name, value in headers]
    scheme = "http" if kind == "http" else "ws"
    scope = {"type": kind, "scheme": scheme, "client": (peer, 1), "headers": sent}
    await Proxied(application, Settings(trusted_proxies=trusted).proxies)(scope, receive, send)
    return scopes[0]["scheme"], scopes[0]["client"][0]


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "client"),
    [
        ("203.0.113.9", "", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "", "198.51.100.1", "127.0.0.1"),
        ("203.0.113.9", "10.0.0.0/8", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.0/8", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.0/8", "made-up, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.0/8", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.0/8", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.0/8", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.0/8", "2001:db8::1", "2001:db8::1"),
        ("::1", "::1", "198.51.100.1:4711", "::1"),
    ],
)
async def test_only_what_a_trusted_proxy_saw_itself_counts(peer: str, trusted: str, forwarded: str, client: str) -> None:
    """From the right, up to the first address that is no proxy's."""
    assert await seen(peer, trusted, ("x-forwarded-for", forwarded)) == ("http", client)


async def test_headers_of_one_name_are_one_list() -> None:
    """As proxies make it that add a header of their own."""
    headers = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "10.0.0.2")]
    assert (await seen("10.0.0.1", "10.0.0.0/8", *headers))[1] == "198.51.100.1"


@pytest.mark.parametrize(("peer", "secure"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", True), ("203.0.113.9", False)])
async def test_a_proxy_says_whether_it_was_reached_by_tls(peer: str, secure: bool) -> None:
    """One on this machine needs no setting for that."""
    told = ("x-forwarded-proto", "https")
    assert (await seen(peer, "10.0.0.0/8", told))[0] == ("https" if secure else "http")
    assert (await seen(peer, "10.0.0.0/8", told, kind="websocket"))[0] == ("wss" if secure else "ws")
