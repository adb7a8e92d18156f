"""The server itself: whether it lives, and its pages."""

from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from tenantry.api.caller import Anybody, MetricsReader
from tenantry.api.metrics import Metrics
from tenantry.api.problems import responses
from tenantry.api.streams import served_streams
from tenantry.errors import NotFound
from tenantry.tenancy import InternalReason, Principal

__all__ = ["pages", "router"]

router = APIRouter(tags=["server"])
pages = APIRouter(include_in_schema=False)

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages: everything comes from this server, and nothing is written into a page."""

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Health(BaseModel):
    """A server that can read its database."""

    status: str = "ok"


@router.get("/healthz", operation_id="healthz", summary="Whether it lives", responses=responses(HTTPStatus.SERVICE_UNAVAILABLE))
async def healthz(studio: Anybody) -> Health:
    """Answers 200 if the database can be read."""
    async with studio.read(Principal.internal(InternalReason.OPERATE)) as work:
        await work.boards.slice(limit=1)
    return Health()


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="How it goes, for Prometheus",
    response_class=PlainTextResponse,
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    dependencies=[MetricsReader],
)
async def metrics(request: Request) -> Response:
    """For administrators, and for programs with the token of `TENANTRY_METRICS_TOKEN`. Counters are of this process."""
    figures: Metrics = request.app.state.metrics
    return Response(await figures.text(served_streams(request.app)), media_type=CONTENT_TYPE_LATEST)


@pages.get("/")
async def console() -> Response:
    return _page("index.html")


@pages.get("/docs")
async def documentation() -> Response:
    return _page("docs.html")


@pages.get("/console/{name}")
async def asset(name: str) -> Response:
    return _page(name)


def _page(name: str) -> Response:
    folder = files("tenantry.console")
    found = next((file for file in folder.iterdir() if file.name == name and _type_of(file)), None)
    if found is None:
        raise NotFound("file")
    headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache"}
    return Response(found.read_bytes(), media_type=_type_of(found), headers=headers)


def _type_of(file: Traversable) -> str | None:
    return _TYPES.get(file.name.rpartition(".")[2])
