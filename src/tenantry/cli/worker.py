"""`tenantry worker`: runs the queue's items with a function of the caller's own."""

import asyncio
import importlib
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.options import DatabaseOption, existing_database
from tenantry.cli.showing import output
from tenantry.errors import InvalidInput
from tenantry.events.announcing import Announcer
from tenantry.queue import Order, Worker
from tenantry.queue.jobs import Handler
from tenantry.settings import Settings
from tenantry.studio import Studio

__all__ = ["load_handler", "worker"]


def worker(
    handler: Annotated[
        str, typer.Argument(metavar="MODULE:FUNCTION", help="The function that runs one item; it takes a `tenantry.queue.Job`.")
    ],
    database: DatabaseOption = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="ID", help="Run the items of this queue only.", show_default="all queues")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", metavar="N", min=1, max=5000, help="How many items run at once.", show_default="1, or one a device"
        ),
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", metavar="NAME", help="A device to run at, such as cuda:0; once for each.")
    ] = None,
    order: Annotated[Order | None, typer.Option("--order", help="Who comes next.", show_default="TENANTRY_QUEUE_ORDER")] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What it is called.", show_default="host and process")
    ] = None,
    grace: Annotated[
        float, typer.Option("--grace", metavar="SECONDS", min=0, help="How long running items may go on after SIGTERM.")
    ] = 30.0,
) -> None:
    """Run the queue's items until SIGTERM or Ctrl-C, which let it finish what runs; a second one stops it at once.

    Start as many as you like, on every machine that reaches the database. Modules are looked for in the current folder too.
    What a handler is and may do: docs/queue.md.
    """
    from tenantry.api.serve import configure_logging, open_studio

    run = load_handler(handler)
    # A worker has nothing to do in a studio that was never there.
    existing_database(database)
    settings = Settings.read(database=database)
    configure_logging(settings)
    studio = open_studio(settings)
    make = partial(
        Worker,
        studio,
        run,
        concurrency=concurrency,
        devices=device or (),
        queue_id=queue,
        name=name,
        order=order or Order(settings.queue_order),
        grace=grace,
    )
    served = "all queues" if queue is None else f"the queue {queue}"
    try:
        asyncio.run(_work(studio, settings, make, f"Tenantry works with {handler} on {served} of {studio.database.url.shown}"))
    finally:
        studio.close()


async def _work(studio: Studio, settings: Settings, make: Callable[..., Worker], greeting: str) -> None:
    """Work until told to stop, and tell the servers what happens meanwhile."""
    from tenantry.api.streams import bus_of

    try:
        async with await bus_of(studio, settings) as bus, Announcer(studio, bus) as announcer:
            working = make(on_progress=announcer.progress)
            output.print(greeting, markup=False)
            told = iter((working.drain, working.stop))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, lambda: next(told, working.stop)())
            await working.run()
    finally:
        await studio.aclose()


def load_handler(named: str) -> Handler:
    """The function that `module:function` names. Raises `InvalidInput`."""
    module_name, _, function_name = named.partition(":")
    if not module_name or not function_name:
        raise InvalidInput("A handler is named MODULE:FUNCTION.", field="handler", remedy="For example: mymodule:render")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise InvalidInput(
            f"The module {module_name} cannot be imported: {error}.",
            field="handler",
            remedy="Start in the folder that it is in, or install it.",
        ) from error
    handler = getattr(module, function_name, None)
    if not callable(handler):
        raise InvalidInput(
            f"The module {module_name} has no function {function_name}.", field="handler", remedy="Check how it is written."
        )
    found: Handler = handler
    return found
