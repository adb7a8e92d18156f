"""What a request gets instead of an answer: problem documents (RFC 9457), and the one table from errors to status codes.

The member `detail` is what InvokeAI's clients read, so one document serves them and ours.
"""

import math
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tenantry import errors
from tenantry.errors import TenantryError

__all__ = ["MEDIA_TYPE", "Problem", "headers_of", "install", "origin", "problem_response", "responses", "status_of"]

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger("tenantry.api")

STATUS: dict[type[TenantryError], HTTPStatus] = {
    errors.AuthenticationFailed: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.CrossTenantRefused: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    errors.IntegrityViolation: HTTPStatus.CONFLICT,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TenantryError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""An error has the status of its own class or of its nearest ancestor here."""

_PLAIN_CODES = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.UNAUTHORIZED: "authentication_required",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "no_such_route",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
}
_JSON_ERRORS = {"json_invalid", "json_type"}


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    field: str = Field(description="The part of the request, such as `body.board_name` or `query.limit`.")
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """A problem document (RFC 9457). Programs decide by `code`, people read `detail` and `remedy`."""

    type: str = Field("about:blank", description="Always `about:blank`; see `code`.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status code again.")
    detail: str = Field(description="What is wrong, in a sentence.")
    code: str = Field(description="A stable name of what went wrong.")
    field: str | None = Field(None, description="The part of the request that it is about.")
    remedy: str | None = Field(None, description="What to do about it.")
    errors: list[FieldProblem] | None = Field(None, description="Each thing that is wrong with the request.")
    request_id: str | None = Field(None, description="Names the request in the server's log.")


def origin(error: BaseException) -> str:
    """Where an error comes from, for the log: without the values of variables, tokens among them, that some renderers add."""
    return "".join(traceback.format_exception(error))


def status_of(error: TenantryError) -> HTTPStatus:
    """The status code of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: TenantryError) -> dict[str, str]:
    """The headers that go with an error: how to authenticate, or when to try again (RFC 9110, in whole seconds)."""
    if isinstance(error, errors.LimitReached) and error.retry_after is not None:
        return {"Retry-After": str(max(math.ceil(error.retry_after), 1))}
    if status_of(error) == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    return {}


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    remedy: str | None = None,
    errors: list[FieldProblem] | None = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document as an answer."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        field=field,
        remedy=remedy,
        errors=errors,
        request_id=request_id,
    )
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problem answers of a route, for its OpenAPI description."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of this application by a problem document."""
    app.add_exception_handler(TenantryError, _on_tenantry_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_tenantry_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TenantryError)
    status = status_of(error)
    request_id = _request_id(request)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed", request_id=request_id, path=request.url.path, code=error.code, exception=origin(error))
    return problem_response(
        status,
        error.code,
        error.message,
        field=error.field,
        remedy=error.remedy,
        request_id=request_id if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
        headers=headers_of(error),
    )


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: it may be a password.
    found = [FieldProblem(field=".".join(map(str, each["loc"])), detail=each["msg"]) for each in error.errors()]
    broken = any(each["type"] in _JSON_ERRORS for each in error.errors())
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_json" if broken else "invalid_input",
        "The body is not valid JSON." if broken else f"{found[0].field}: {found[0].detail}",
        field="body" if broken else found[0].field,
        remedy="Send a JSON document." if broken else "Correct this part of the request; see /docs for what it takes.",
        errors=None if broken else found,
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _PLAIN_CODES.get(HTTPStatus(error.status_code), "error")
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(404, code, "There is nothing at this address.", remedy="See /docs for the addresses.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} cannot be used at this address."
        return problem_response(405, code, detail, remedy="See /docs for the methods.", headers=error.headers)
    return problem_response(error.status_code, code, str(error.detail), headers=error.headers)


def _request_id(request: Request) -> str | None:
    request_id: str | None = getattr(request.state, "request_id", None)
    return request_id
