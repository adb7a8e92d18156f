"""The application: settings and a studio in, an ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from tenantry.api import problems
from tenantry.api.guard import Guard
from tenantry.api.metrics import Metrics
from tenantry.api.problems import Problem, responses
from tenantry.api.proxies import Proxied
from tenantry.api.routes import ROUTERS, TAGS
from tenantry.api.routes.server import pages
from tenantry.api.routes.server import router as server
from tenantry.api.streams import Streams, event_streams
from tenantry.api.upkeep import upkeep
from tenantry.settings import Settings
from tenantry.studio import Studio

__all__ = ["create_app"]


def create_app(studio: Studio, settings: Settings) -> FastAPI:
    """The HTTP server over a studio, which it closes when it stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                upkeep(studio, event_hours=settings.event_hours, audit_days=settings.audit_days),
                event_streams(app, studio, settings),
            ):
                yield
        finally:
            await studio.aclose()

    app = _Application(
        title="Tenantry",
        summary="A generation studio in which everybody sees what is theirs.",
        version=version("tenantry"),
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.studio = studio
    app.state.settings = settings
    app.state.metrics = Metrics(studio)
    problems.install(app)
    api = APIRouter(prefix="/api/v1", responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY))
    for router in ROUTERS:
        api.include_router(router)
    app.include_router(api)
    app.include_router(server)
    app.include_router(pages)
    app.mount("/ws", Streams(app))
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Retry-After", "X-Refreshed-Token", "X-Request-ID"],
        )
    # Added last, so that they are outermost.
    app.add_middleware(Guard, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(Proxied, trusted=settings.proxies)
    return app


class _Application(FastAPI):
    """FastAPI whose description names problem documents in place of FastAPI's own errors."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = get_openapi(
                title=self.title, version=self.version, summary=self.summary, routes=self.routes, tags=self.openapi_tags
            )
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].update(problem.pop("$defs"), Problem=problem)
            self.openapi_schema = schema
        return self.openapi_schema
