"""What surrounds every request: its name in the log, the limit to its body, headers for browsers, and a last resort."""

from collections.abc import MutableMapping
from typing import Any
from uuid import uuid4

import structlog
from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenantry.api.problems import origin, problem_response

__all__ = ["API_POLICY", "Guard"]

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of everything that is not a page: nothing may be loaded or run from it."""

_HEADERS = {
    "Content-Security-Policy": API_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Answers differ from user to user; routes that may be kept say so themselves.
    "Cache-Control": "no-store",
}

_log = structlog.get_logger("tenantry.api")


class Guard:
    """The outermost layer of the application, around all that can go wrong inside."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        try:
            await self._handle(scope, receive, answer)
        except Exception as error:
            _log.error(
                "request failed", request_id=request_id, method=scope["method"], path=scope["path"], exception=origin(error)
            )
            if answer.started:
                raise
            problem = problem_response(
                500,
                "internal_error",
                "Something went wrong in the server.",
                remedy="Try again; if it stays, give the administrator the request id.",
                request_id=request_id,
            )
            await problem(scope, receive, answer)

    async def _handle(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            refusal = problem_response(
                422, "invalid_input", "An address must not contain NUL bytes.", field="path", remedy="Remove the NUL bytes."
            )
            await refusal(scope, receive, answer)
        elif _announced_length(scope) > self._limit:
            await _too_large(self._limit)(scope, receive, answer)
        else:
            await self._app(scope, _Limited(receive, self._limit), answer)


class _Answer:
    """Passes an answer on with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=_as_dict(message))
            headers["X-Request-ID"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


class _Limited:
    """Reads a body that did not announce its length only up to the limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise HTTPException(413, _too_large_detail(self._limit))
        return message


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:20]) if value.isdigit() else 0
    return 0


def _too_large(limit: int) -> ASGIApp:
    return problem_response(413, "body_too_large", _too_large_detail(limit), field="body", remedy="Send less at once.")


def _too_large_detail(limit: int) -> str:
    return f"The body is larger than {limit} bytes."


def _as_dict(message: Message) -> MutableMapping[str, Any]:
    message.setdefault("headers", [])
    return message
