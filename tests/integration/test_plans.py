"""Every list walks its index, on both databases, as the plain role that serves users."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from tenantry import InternalReason, Principal, Studio, connect, run
from tenantry.database import Connection, Dialect, Identity, Parameters, Query, new_id, utc_now
from tenantry.database.tables import boards, media, users, workflows
from tenantry.queue import ItemFilter, UnitOfWork
from tenantry.repositories import UNCATEGORIZED, MediaQuery
from tenantry.repositories.workflow_lists import WorkflowQuery
from tests.conftest import Postgres

ANA = Principal("user-1")
ROOT = Principal("user-0", is_admin=True)
NOW = "2026-11-23 12:00:00.000"

GENERAL = MediaQuery(categories=("general",), is_intermediate=False)
ASCENDING = MediaQuery(starred_first=False, descending=False)
BY_TIME = MediaQuery(starred_first=False)

List = Callable[[UnitOfWork], Coroutine[Any, Any, object]]

MEDIA_LISTS: dict[str, tuple[List, str, str]] = {
    "page": (lambda w: w.images.page(GENERAL), "ix_media_owner_starred", "ix_media_starred"),
    "page far in": (lambda w: w.images.page(GENERAL, offset=1500), "ix_media_owner_starred", "ix_media_starred"),
    "page by time": (lambda w: w.images.page(BY_TIME), "ix_media_owner_created", "ix_media_created"),
    "page by time ascending": (lambda w: w.images.page(ASCENDING), "ix_media_owner_created", "ix_media_created"),
    "slice": (lambda w: _second(w.images, GENERAL), "ix_media_owner_starred", "ix_media_starred"),
    "slice by time": (lambda w: _second(w.images, BY_TIME), "ix_media_owner_created", "ix_media_created"),
    "names": (lambda w: w.images.names(GENERAL), "ix_media_owner_starred", "ix_media_starred"),
    "uncategorised": (
        lambda w: w.images.page(MediaQuery(board=UNCATEGORIZED)),
        "ix_media_owner_starred",
        "ix_media_starred",
    ),
    "videos": (lambda w: _second(w.videos, MediaQuery()), "ix_media_owner_starred", "ix_media_starred"),
    "gallery": (lambda w: _second(w.gallery, MediaQuery()), "ix_media_owner_starred", "ix_media_starred"),
    "gallery names": (lambda w: w.gallery.item_names(MediaQuery()), "ix_media_owner_starred", "ix_media_starred"),
    "board": (lambda w: w.images.page(MediaQuery(board="board-1-1")), "ix_media_board", "ix_media_board"),
    "board slice": (lambda w: _second(w.gallery, MediaQuery(board="board-1-1")), "ix_media_board", "ix_media_board"),
    "summaries": (lambda w: w.gallery.summaries(["board-1-1", "board-1-2"]), "ix_media_board", "ix_media_board"),
    "dates": (lambda w: w.gallery.dates(), "ix_media_owner_", "ix_media_"),
}


async def _second(lists: Any, query: MediaQuery) -> None:
    first = await lists.slice(query, limit=10)
    await lists.slice(query, cursor=first.next_cursor, limit=10)


class Explain(sa.Executable, sa.ClauseElement):
    """EXPLAIN of a statement, with its parameters."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explain, "sqlite")
def _explain_sqlite(element: Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.statement, **options)}"


@compiles(Explain, "postgresql")
def _explain_postgresql(element: Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN {compiler.process(element.statement, **options)}"


class Explained:
    """A connection that keeps the plan of every statement on its way."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect: Dialect = connection.dialect
        self.plans: list[str] = []
        self.ordered: list[str] = []

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Any]:
        rows = await self.connection.fetch_all(Explain(query), parameters)
        plan = "\n".join(str(tuple(row)[-1]) for row in rows)
        self.plans.append(plan)
        if "ORDER BY" in str(query):
            self.ordered.append(plan)
        return await self.connection.fetch_all(query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Any:
        rows = await self.fetch_all(query, parameters)
        return rows[0] if rows else None

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        row = await self.fetch_one(query, parameters)
        return None if row is None else row[0]

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        return await self.connection.execute(statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        await self.connection.execute_many(statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        await self.connection.act_as(identity)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        pytest.param("sqlite without statistics", marks=pytest.mark.sqlite),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
)
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Some thousands of rows of four users, built once for each database and then only read.

    A young SQLite file has no statistics, and its plans must be right all the same.
    """
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        server.create_database("grown", template=request.getfixturevalue("migrated_postgres"))
        studio = connect(server.url("grown"))
    else:
        studio = connect(f"sqlite:///{tmp_path_factory.mktemp('grown') / 'studio.db'}")
    _fill(studio)
    if request.param != "sqlite without statistics":
        _gather_statistics(studio)
    yield studio
    studio.close()


def _fill(studio: Studio) -> None:
    with studio.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        insert = work.ground.connection.execute_many
        run(insert(sa.insert(users), [_owned(number, email=f"{number}@example.com") for number in range(4)]))
        run(insert(sa.insert(boards), [_board(number % 4, number) for number in range(80)]))
        run(insert(sa.insert(workflows), [_workflow(number % 4, number) for number in range(200)]))
        run(insert(sa.insert(media), [_item(number % 4, number) for number in range(8000)]))
        run(insert(sa.insert(media), [{**_item(1, 90_001), "metadata": '{"p": "heliotrope"}'}]))
        run(work.search_index.index(10_000))


def _gather_statistics(studio: Studio) -> None:
    with studio.direct.begin(Principal.internal(InternalReason.OPERATE)) as work:
        # The plain login owns the tables and gathers their statistics; a role that was taken may not.
        if work.ground.connection.dialect == "postgresql":
            run(work.ground.connection.execute(sa.text("RESET ROLE")))
        run(work.ground.connection.execute(sa.text("ANALYZE")))


def _owned(owner: int, **fields: object) -> dict[str, object]:
    return {"user_id": f"user-{owner}", "created_at": NOW, "updated_at": NOW, **fields}


def _board(owner: int, number: int) -> dict[str, object]:
    visibility = {0: "shared", 5: "public"}.get(number % 20, "private")
    return _owned(owner, board_id=f"board-{owner}-{number // 4}", board_name=f"Board {number}", visibility=visibility)


def _workflow(owner: int, number: int) -> dict[str, object]:
    name = f"Workflow {number}"
    return _owned(owner, workflow_id=f"w{number}", category="user", name=name, description="", tags="a, b", document="{}")


def _item(owner: int, number: int) -> dict[str, object]:
    moment = f"2026-11-{number % 28 + 1:02d} 12:{number % 60:02d}:00.{number % 1000:03d}"
    fields = {"origin": "internal", "category": "general", "width": 1, "height": 1, "starred": number % 50 == 0}
    fields["is_intermediate"] = number % 7 == 3
    kind = {"kind": "video", "duration": 1.0} if number % 10 == 0 else {"kind": "image", "duration": None}
    board = f"board-{owner}-{number % 20}" if number % 3 else None
    return {**_owned(owner, name=f"n{number}", board_id=board, **fields, **kind), "created_at": moment}


@contextmanager
def explained(studio: Studio, principal: Principal) -> Iterator[tuple[UnitOfWork, Explained]]:
    with studio.database.direct_reading(principal.identity) as connection:
        if connection.dialect == "postgresql":
            # A table this small is read whole; what matters is that an index could serve.
            run(connection.execute(sa.text("SET LOCAL enable_seqscan = off")))
        recording = Explained(connection)
        yield UnitOfWork(recording, principal, utc_now, new_id), recording


@pytest.mark.parametrize("name", MEDIA_LISTS)
def test_lists_of_media_walk_their_index(grown: Studio, name: str) -> None:
    """A user's list reads the index that begins with the user, everybody's the one that begins with the order."""
    operation, tenant_index, everybodys_index = MEDIA_LISTS[name]
    for principal, index in ((ANA, tenant_index), (ROOT, everybodys_index)):
        with explained(grown, principal) as (work, recording):
            run(operation(work))
        for plan in recording.plans:
            assert not _reads_whole_table(plan, "media"), plan
        if grown.database.dialect == "sqlite" or "names" not in name:
            assert all(index in plan for plan in recording.ordered), recording.ordered
        if grown.database.dialect == "sqlite" and "slice" in name:
            assert "USE TEMP B-TREE FOR ORDER BY" not in recording.ordered[-1], recording.ordered[-1]


OTHER_LISTS: dict[str, tuple[List, str]] = {
    "boards": (lambda w: w.boards.page(), "boards"),
    "boards slice": (lambda w: w.boards.slice(), "boards"),
    "workflows": (lambda w: w.workflows.page(), "workflows"),
    "workflows slice": (lambda w: w.workflows.slice(limit=5), "workflows"),
    "users": (lambda w: w.users.page(), "users"),
    "users slice": (lambda w: w.users.slice(limit=2), "users"),
    "workflows by last use": (lambda w: w.workflows.page(WorkflowQuery(order_by="opened_at", descending=True)), "workflows"),
    "all workflows": (lambda w: w.workflows.all(), "workflows"),
    "queue status": (lambda w: w.queue.status(), "queue_items"),
    "queue by status": (lambda w: w.queue.slice(only=ItemFilter(status="pending")), "queue_items"),
    "queue": (lambda w: w.queue.slice(), "queue_items"),
    "intermediates count": (lambda w: w.images.count_intermediates(), "media"),
    "intermediates": (lambda w: w.images.intermediates(), "media"),
    "client state": (lambda w: w.client_state.keys_with_prefix("a"), "client_state"),
}


@pytest.mark.parametrize("name", OTHER_LISTS)
@pytest.mark.parametrize("principal", [ANA, ROOT], ids=["tenant", "administrator"])
def test_other_lists_use_an_index(grown: Studio, name: str, principal: Principal) -> None:
    """No list reads its table from one end to the other."""
    operation, table = OTHER_LISTS[name]
    with explained(grown, principal) as (work, recording):
        run(operation(work))
    for plan in recording.plans:
        assert not _reads_whole_table(plan, table), plan


def test_a_rare_term_is_found_through_the_text_index(grown: Studio) -> None:
    """An administrator's search for a rare word reads the candidates and not the table."""
    with explained(grown, ROOT) as (work, recording):
        page = run(work.images.page(MediaQuery(search="heliotrope")))
    assert [item.name for item in page.items] == ["n90001"]
    if grown.database.dialect == "sqlite":
        assert "VIRTUAL TABLE INDEX" in recording.plans[0]
        assert all("INTEGER PRIMARY KEY" in plan for plan in recording.plans[1:]), recording.plans
    else:
        assert all("media_text_trigrams" in plan for plan in recording.plans), recording.plans


def test_a_users_search_on_postgresql_starts_from_the_user(grown: Studio) -> None:
    """Row-level security keeps tenants from the trigram index, so their searches must start from the owner's rows."""
    if grown.database.dialect == "postgresql":
        with explained(grown, ANA) as (work, recording):
            run(work.images.page(MediaQuery(search="heliotrope")))
        assert all("ix_media_owner" in plan for plan in recording.plans), recording.plans


def _reads_whole_table(plan: str, table: str) -> bool:
    steps = [step.strip() for step in plan.splitlines()]
    return any(step.startswith((f"SCAN {table}", f"Seq Scan on {table}")) and "INDEX" not in step for step in steps)
