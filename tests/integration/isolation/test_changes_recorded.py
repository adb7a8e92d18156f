"""Every method that changes something records it, so that whoever looks on learns of it; or it stands here why not."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from tenantry import Principal, Studio
from tenantry.database.tables import boards, users, workers
from tenantry.errors import DatabaseReadOnly
from tenantry.queue import UnitOfWork
from tenantry.repositories.changes import Change
from tenantry.tenancy import SYSTEM_USER_ID, InternalReason
from tests.integration.isolation.plan_kinds import Attack, Outcome
from tests.integration.isolation.plans import PLANS, methods
from tests.integration.isolation.plans_accounts import HASH
from tests.integration.isolation.snapshot import StoredRow, snapshot
from tests.integration.isolation.world import ADMINISTRATOR, NOW, OWNER, SHOWN, Target, fill

INTERNAL = Principal.internal(InternalReason.OPERATE)

_LISTS = ("page", "slice", "names", "count")
_MEDIA = (*_LISTS, "get", "many", "exists", "metadata", "most_recent_of_board", "intermediates", "count_intermediates")

_READING: dict[str, tuple[str, ...]] = {
    "account_links": ("all", "find"),
    "api_keys": ("find", "slice"),
    "app_settings": ("get",),
    "audit": ("slice",),
    "board_viewers": ("of",),
    "boards": ("all", "get", "may_write", "page", "slice"),
    "client_state": ("get", "keys_with_prefix"),
    "dispatch": ("is_work_waiting",),
    "gallery": (*_LISTS, "dates", "item_names", "summaries"),
    "images": _MEDIA,
    "login_attempts": ("wait",),
    "model_relationships": ("related", "related_to_any"),
    "models": ("all", "by_hash", "by_path", "exists", "get", "page", "search_by_attr"),
    "outbox": ("after", "stretch", "waiting_since"),
    "ownership": ("count",),
    "presets": ("all", "get"),
    "prompts": ("all", "get"),
    "queue": (
        *("batch_status", "current_item", "destination_counts", "details", "get", "ids_by_priority", "is_empty", "item_ids"),
        *("many", "next_item", "position", "slice", "status"),
    ),
    "queue_administration": ("defaults", "of_user", "settings", "statistics"),
    "queue_facts": ("batches", "everywhere", "items", "queue"),
    "search_index": ("pending",),
    "shares": ("of_board",),
    "users": ("all", "count_admins", "credentials", "get", "get_by_email", "get_many", "has_admin", "page", "slice"),
    "videos": _MEDIA,
    "workers": ("all", "held"),
    "workflows": ("all", "all_tags", "counts_by_category", "counts_by_tag", "get", "page", "slice"),
}
READS = {f"{repository}.{method}" for repository, names in _READING.items() for method in names}
"""What changes nothing; it is run where nothing can be changed."""

_NO_EVENT = "no client is told of these; who looks at them asks for them"
_STUDIOS = "comes with the studio, which puts it in before it serves anybody"
_INSTALLATION = "is the installation's and nobody's"
_SETTING = "is read where it is applied, and shown to administrators who ask"

SILENT: dict[str, str] = {
    **{f"presets.{method}": _NO_EVENT for method in ("create", "update", "delete")},
    **{f"prompts.{method}": _NO_EVENT for method in ("create", "update", "delete")},
    **{f"client_state.{method}": "is written by the client that reads it" for method in ("set", "delete", "clear")},
    **{f"models.{method}": _INSTALLATION for method in ("add", "update", "replace", "delete")},
    **{f"model_relationships.{method}": _INSTALLATION for method in ("add", "remove")},
    **{f"app_settings.{method}": _INSTALLATION for method in ("set", "get_or_create")},
    **{f"queue_administration.set_{what}": _SETTING for what in ("capacity", "defaults", "for_user", "history")},
    **{f"workers.{method}": "is between workers and the queue" for method in ("register", "beat", "drain", "forget_expired")},
    **{f"outbox.{method}": "is what was told already" for method in ("give_places", "prune")},
    "api_keys.create": "opens nothing until somebody uses it",
    "api_keys.touch": "is a note for its owner's own list, and no client is told of it",
    **{f"login_attempts.{method}": "is Tenantry's own" for method in ("begin", "succeed", "lift", "prune")},
    **{f"audit.{method}": "is for who asks for it" for method in ("note", "prune")},
    **{
        f"account_links.{method}": "changes no account until it is redeemed, which is another method's"
        for method in ("invite", "offer_reset", "delete", "redeem", "prune")
    },
    "presets.sync_defaults": _STUDIOS,
    "workflows.sync_defaults": _STUDIOS,
    "workflows.touch_opened": "is a note for its owner's own list, and no client is told of it",
    "search_index.index": "adds nothing that was not there",
    "users.touch_login": "changes no right and nothing that is shown to others",
    "users.check_deletable": "holds a row and changes nothing",
    "queue.put_first": "leaves the item's status as it is; the claim tells",
    "dispatch.save": "leaves the item's status as it is",
}
"""What changes something, or locks it, and tells nobody, with the reason."""


async def _first_administrator(work: UnitOfWork, target: Target) -> object:
    await work.ground.connection.execute(sa.update(users).values(is_admin=False))
    return await work.users.create_first_admin("first@example.com", HASH)


async def _assign(work: UnitOfWork, target: Target) -> object:
    left = {"board_id": "left", "user_id": SYSTEM_USER_ID, "board_name": "left", "created_at": NOW, "updated_at": NOW}
    await work.ground.connection.execute(sa.insert(boards).values(left))
    return await work.ownership.legacy_assign("user-bo@example.com")


async def _recover(work: UnitOfWork, target: Target) -> object:
    await work.ground.connection.execute(sa.update(workers).values(expires_at=""))
    return await work.workers.recover_expired()


async def _sweep(work: UnitOfWork, target: Target) -> object:
    await work.queue_administration.set_history(keep_items=0)
    return await work.queue_administration.sweep()


INSTEAD: dict[str, Attack] = {
    "users.create_first_admin": _first_administrator,
    "ownership.legacy_assign": _assign,
    "workers.recover_expired": _recover,
    "queue_administration.sweep": _sweep,
}
"""What is tried where the attack of the plan leaves everything as it is."""


@dataclass
class Undone(Exception):
    """Ends a unit of work without a trace, with what it recorded and what was stored then."""

    recorded: tuple[Change, ...]
    stored: frozenset[StoredRow]


@pytest.fixture
async def world(studio: Studio) -> Studio:
    """A studio with everybody's things in it."""
    await fill(studio)
    return studio


def test_what_is_named_here_is_there() -> None:
    """A method is in one of the tables at most; one that is in none must be seen recording below."""
    assert sorted((READS | set(SILENT) | set(INSTEAD)) - set(methods())) == []
    assert sorted(READS & set(SILENT)) == []


async def test_what_reads_could_not_write(world: Studio) -> None:
    """The database refuses every write in a unit of work that reads."""
    wrong: list[str] = []
    for method in sorted(READS):
        try:
            async with world.read(_who(method)) as work:
                await PLANS[method].attack(work, SHOWN)
                wrong += [method] if work.ground.changes else []
        except DatabaseReadOnly:
            wrong.append(method)
    assert wrong == []


async def test_what_writes_records_it(world: Studio) -> None:
    """Whoever may do it; a new method is named here until it records, or stands among the silent."""
    before = (await _try(world, INTERNAL, _nothing)).stored
    wrong: list[str] = []
    for method in sorted(set(methods()) - READS):
        found = await _try(world, _who(method), INSTEAD.get(method, PLANS[method].attack))
        if method in SILENT:
            wrong += [f"{method} is not silent"] if found.recorded else []
        elif not found.recorded or found.stored == before:
            wrong.append(f"{method} recorded {found.recorded}")
    assert wrong == []


def _who(method: str) -> Principal:
    """Somebody who succeeds."""
    plan = PLANS[method]
    if plan.internal:
        return INTERNAL
    return ADMINISTRATOR if plan.owner is Outcome.NOT_ALLOWED else OWNER


async def _nothing(_: UnitOfWork, __: Target) -> None:
    return None


async def _try(studio: Studio, who: Principal, attack: Attack) -> Undone:
    """Run an attack, look at what came of it in the same transaction, and undo it all."""
    try:
        async with studio.begin(who) as work:
            await attack(work, SHOWN)
            await work.ground.connection.act_as(INTERNAL.identity)
            raise Undone(tuple(work.ground.changes), await snapshot(work.ground.connection))
    except Undone as undone:
        return undone
