"""Who is at the other end of a request that a proxy passes on.

Anybody can send the headers, so they count only from where proxies are known to be.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from tenantry.settings import Network

__all__ = ["Proxied"]

_HERE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Proxied:
    """Puts in the place of a proxy's address and scheme what the proxy says of its client.

    `X-Forwarded-For` counts from trusted proxies only. `X-Forwarded-Proto` decides no more than whether cookies are kept
    to TLS, and counts from this machine too.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope.get("client"):
            scope = self._seen_through(scope)
        await self._app(scope, receive, send)

    def _seen_through(self, scope: Scope) -> Scope:
        peer = scope["client"][0]
        told = _headers(scope)
        changed = dict(scope)
        if _is_in(peer, (*self._trusted, *_HERE)) and told.get("x-forwarded-proto") in {"http", "https"}:
            secure = told["x-forwarded-proto"] == "https"
            plain = "http" if scope["type"] == "http" else "ws"
            changed["scheme"] = f"{plain}s" if secure else plain
        if _is_in(peer, self._trusted) and "x-forwarded-for" in told:
            changed["client"] = (self._client(peer, told["x-forwarded-for"]), 0)
        return changed

    def _client(self, peer: str, forwarded: str) -> str:
        """The last one on the way that is no proxy of ours; what stands before it, that one may have made up."""
        client = peer
        for part in reversed(forwarded.split(",")):
            if not _is_in(client, self._trusted) or not _is_address(part.strip()):
                break
            client = part.strip()
        return client


def _headers(scope: Scope) -> Mapping[str, str]:
    """Headers that a proxy may send, several of a name as one list."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in {b"x-forwarded-for", b"x-forwarded-proto"}:
            key, text = name.decode("latin-1"), value.decode("latin-1").strip()
            found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, known: Sequence[Network]) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    # A socket for both protocols shows IPv4 addresses so.
    plain = (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
    return any(plain in network for network in known)
