"""The server process."""

import errno
import logging
import signal
import socket
import sys
from contextlib import suppress

import structlog
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from tenantry.accounts import AccountRules
from tenantry.api.app import create_app
from tenantry.api.streams import end_streams
from tenantry.errors import InvalidInput
from tenantry.queue import QueueRules
from tenantry.settings import Settings
from tenantry.studio import Studio, connect

__all__ = ["WEBSOCKETS_COMPRESSED", "configure_logging", "listen", "open_studio", "run"]

_GRACE = 10
"""Seconds that running requests get to end when the server stops."""

WEBSOCKETS_COMPRESSED = False
"""Compressing each client's copy by itself nearly doubles the memory of an idle socket, and costs time with every copy."""


def run(settings: Settings, *, migrate: bool | None = None) -> None:
    """Serve until SIGINT or SIGTERM; prints the address once it can be used.

    Raises `InvalidInput` for an address that cannot be listened on, and what `tenantry.connect` raises.
    """
    configure_logging(settings)
    listening = listen(settings.host, settings.port)
    with listening:
        studio = open_studio(settings, migrate=migrate)
        app = create_app(studio, settings)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # The application does that itself, and believes nobody whom the settings do not name.
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
            ws_per_message_deflate=WEBSOCKETS_COMPRESSED,
        )
        server = _Server(config, app, _address(listening, settings.host), studio.database.url.shown)
        # After its own shutdown uvicorn raises the signal again, which must not turn an orderly end into a failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def open_studio(settings: Settings, *, migrate: bool | None = None) -> Studio:
    """The studio that the settings name."""
    return connect(
        settings.database,
        migrate=migrate,
        synchronous=settings.sqlite_synchronous,
        busy_timeout=settings.busy_timeout,
        account_rules=AccountRules.of(settings),
        queue_rules=QueueRules.of(settings),
        listening_url=settings.listen_database,
    )


def configure_logging(settings: Settings) -> None:
    """Log to the standard error stream, for people or as JSON lines."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    as_json = settings.log_format == "json"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if as_json else [_for_people()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked anew for each message, because the stream of today may be closed tomorrow.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(stream=sys.stderr, level=max(level, logging.WARNING))


def _for_people() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # Names and addresses are others' words, which must not begin a line or steer the terminal.
        repr_native_str=True,
        exception_formatter=structlog.dev.plain_traceback,
    )


class _Server(uvicorn.Server):
    """Says where it is once it answers."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, address: str, database: str) -> None:
        super().__init__(config)
        self._app = app
        self._address = address
        self._database = database

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            console = Console(highlight=False, soft_wrap=True)
            console.print(f"[bold]Tenantry[/bold] serves {self._database}")
            console.print(f"  studio  [link]{self._address}/[/link]\n  API     [link]{self._address}/docs[/link]")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await end_streams(self._app)
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. Raises `InvalidInput`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not switch off Nagle's algorithm, and each answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        said = f"{host}:{port} cannot be listened on: {error.strerror or error}."
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            remedy = "Stop what uses it, or choose another with --port or TENANTRY_PORT."
            raise InvalidInput(said, field="port", remedy=remedy) from None
        remedy = "Choose an address of this machine with --host or TENANTRY_HOST."
        raise InvalidInput(said, field="host", remedy=remedy) from None
    return listening


def _address(listening: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"
