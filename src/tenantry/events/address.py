"""Where event streams are reached: below the address of a server, as with InvokeAI."""

from urllib.parse import SplitResult, urlsplit

from tenantry.errors import InvalidInput, ServerUnavailable

__all__ = ["PATH", "no_answer", "server_address"]

PATH = "/ws/socket.io"


def server_address(url: str) -> SplitResult:
    """The parts of a server's address. Raises `InvalidInput` for what is none."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput("This is not the address of a server.", field="url", remedy="For example: http://127.0.0.1:9100")
    return parts


def no_answer(address: SplitResult) -> ServerUnavailable:
    """The error for a server that does not answer; says where it was looked for, without a password in the address."""
    return ServerUnavailable(
        f"There is no answer from a server at {address.scheme}://{address.netloc.rpartition('@')[2]}.",
        field="url",
        remedy="Check the address, and whether the server runs: tenantry serve",
    )
