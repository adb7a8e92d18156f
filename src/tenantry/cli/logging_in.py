"""How a command becomes a user of a server: over HTTP, like everybody else."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult

from tenantry.errors import AuthenticationFailed, NotAllowed, ServerUnavailable
from tenantry.events.address import no_answer

__all__ = ["log_in"]

_PATIENCE = 10
"""Seconds until a server counts as unreachable."""


def log_in(address: SplitResult, email: str, password: str) -> str:
    """A token for this user. Raises `AuthenticationFailed`, `NotAllowed` for one who is deactivated, `ServerUnavailable`."""
    status, said = _ask(address, {"email": email, "password": password})
    token = said.get("token")
    if status == HTTPStatus.OK and isinstance(token, str):
        return token
    if "detail" not in said:
        raise no_answer(address)
    detail, remedy = str(said["detail"]), said.get("remedy")
    match status:
        case HTTPStatus.UNAUTHORIZED:
            raise AuthenticationFailed(detail, remedy=remedy)
        case HTTPStatus.FORBIDDEN:
            raise NotAllowed(detail, remedy=remedy)
    raise ServerUnavailable(detail, remedy=remedy)


def _ask(address: SplitResult, credentials: dict[str, str]) -> tuple[int, dict[str, Any]]:
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=_PATIENCE)
    path = f"{address.path.rstrip('/')}/api/v1/auth/login"
    try:
        connection.request("POST", path, json.dumps(credentials), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise no_answer(address) from error
    finally:
        connection.close()
    return answer.status, said if isinstance(said, dict) else {}
