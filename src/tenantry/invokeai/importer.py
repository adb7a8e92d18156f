"""Imports a database of InvokeAI: everything in one transaction, or nothing."""

from pathlib import Path

import sqlalchemy as sa

from tenantry.database import DatabaseURL, run
from tenantry.database import tables as ours
from tenantry.invokeai import mapping as maps
from tenantry.invokeai import schema as theirs
from tenantry.invokeai.aside import set_aside
from tenantry.invokeai.bringing import Bringing
from tenantry.invokeai.counters import SEQUENCES, raise_counters
from tenantry.invokeai.identify import check_source
from tenantry.invokeai.links import bring_gallery, resolve_move_items, resolve_relationships, resolve_shares
from tenantry.invokeai.people import bring_people
from tenantry.invokeai.queue_rows import BatchesOfItems
from tenantry.invokeai.reader import SourceReader
from tenantry.invokeai.reports import ImportReport, Progress, no_progress
from tenantry.invokeai.source import Source, open_source
from tenantry.repositories import UnitOfWork
from tenantry.repositories.queue_counts import recount
from tenantry.repositories.queue_turns import remember_turns
from tenantry.studio import Studio, connect
from tenantry.tenancy import InternalReason, Principal

__all__ = ["check_invokeai", "import_invokeai"]


_TARGETS = (
    ours.users,
    ours.app_settings,
    ours.client_state,
    ours.boards,
    ours.media,
    ours.board_shares,
    ours.models,
    ours.model_relationships,
    ours.workflows,
    ours.style_presets,
    ours.system_prompts,
    ours.batches,
    ours.queue_items,
    ours.move_jobs,
    ours.move_items,
)


def import_invokeai(
    path: Path | str,
    target: Studio | DatabaseURL | str,
    *,
    assign_legacy: str | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Bring InvokeAI's database at `path` into a studio, or into the database at a URL.

    Blocks until it is done, and other writers of the studio with it; on an event loop, call it in a thread. The file and
    what lies beside it are not changed. Importing a file again changes nothing. `assign_legacy` is the e-mail address of
    the user who gets what the file's `system` user owns.

    Raises `NotADatabase`, and `ImportRefused` for a file that is not InvokeAI's at 6.14, that holds what the database
    cannot store, or that contradicts what the database holds, and `NotFound` when nobody has the address. Nothing was
    changed then.
    """
    with open_source(Path(path)) as source:
        check_source(source.connection)
        if isinstance(target, Studio):
            return _import(source, target, assign_legacy, progress)
        studio = connect(target)
        try:
            return _import(source, studio, assign_legacy, progress)
        finally:
            studio.close()


def check_invokeai(path: Path | str) -> None:
    """Raise what `import_invokeai` would for a file that is not InvokeAI's at 6.14, before there is a database to import to."""
    with open_source(Path(path)) as source:
        check_source(source.connection)


def _import(source: Source, studio: Studio, assign_legacy: str | None, progress: Progress) -> ImportReport:
    with studio.direct.begin(Principal.internal(InternalReason.IMPORT)) as work:
        report = run(_bring_everything(source, work, assign_legacy, progress))
        source.confirm_unchanged()
        return report


async def _bring_everything(source: Source, work: UnitOfWork, assign_legacy: str | None, progress: Progress) -> ImportReport:
    connection = work.ground.connection
    bringing = Bringing(SourceReader(source.connection, connection.dialect), connection, work.ground.clock, progress)
    await bringing.look(_TARGETS)
    await bring_people(bringing)
    await bring_gallery(bringing)
    await bringing.bring(maps.SHARED_BOARDS, resolve=resolve_shares(bringing))
    await bringing.bring(maps.MODELS)
    await bringing.bring(maps.MODEL_RELATIONSHIPS, resolve=resolve_relationships(bringing))
    await bringing.bring(maps.WORKFLOWS)
    await bringing.bring(maps.STYLE_PRESETS, seeded=True)
    await bringing.bring(maps.SYSTEM_PROMPTS, seeded=True)
    batches = BatchesOfItems(bringing)
    await bringing.bring(maps.SESSION_QUEUE, resolve=batches.resolve)
    await batches.finish()
    await bringing.bring(maps.MOVE_JOBS)
    await bringing.bring(maps.MOVE_ITEMS, resolve=resolve_move_items(bringing), key=("job_id", "media_id"))
    notes = await set_aside(bringing)
    await bringing.confirm(_TARGETS)
    await recount(connection)
    await remember_turns(connection)
    await raise_counters(connection, _last_item(source.connection))
    assigned = None
    if assign_legacy is not None:
        assigned = (await work.ownership.legacy_assign(assign_legacy)).total
    return ImportReport(tuple(bringing.reports.values()), bringing.former_owners, assigned, tuple(notes))


def _last_item(connection: sa.Connection) -> int | None:
    last = connection.scalar(sa.select(sa.func.max(SEQUENCES.c.seq)).where(SEQUENCES.c.name == theirs.session_queue.name))
    return last if isinstance(last, int) else None
