"""Sequences of operations by three users and an administrator: the studio and a small model agree on who sees what."""

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenantry import Principal, Studio
from tenantry.database import DatabaseURL, timestamp
from tenantry.database.tables import boards, media, users, workflows
from tenantry.queue import UnitOfWork
from tenantry.repositories.media_values import MediaQuery
from tenantry.studio import connect
from tenantry.tenancy import InternalReason
from tests.integration.conftest import Mode
from tests.integration.isolation.operations import STEPS, USERS, Play, Step, principal

OPERATOR = Principal.internal(InternalReason.OPERATE)

_numbers = st.integers(0, 5)
# Making things comes more often, so that there is something to fight about.
_names = st.sampled_from([*STEPS, "make_board", "make_image", "make_image", "grant", "grant", "move_image"])
_steps = st.lists(st.builds(Step, _names, st.sampled_from(USERS), _numbers, _numbers), min_size=8, max_size=40)


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("name", ["async", "direct"])
@given(steps=_steps)
def test_everybody_sees_and_changes_what_the_model_says(database_url: DatabaseURL, name: str, steps: list[Step]) -> None:
    """After each operation its outcome, and every few operations everything that everybody sees."""
    asyncio.run(_play(database_url, name, steps))


async def _play(url: DatabaseURL, name: str, steps: list[Step]) -> None:
    studio = connect(url, migrate=False)
    try:
        await _begin_anew(studio)
        play = Play(Mode(studio, name))
        for number, step in enumerate(steps):
            await play.step(step)
            if number % 10 == 9:
                await _compare(play)
        await _compare(play)
    finally:
        await studio.aclose()


async def _begin_anew(studio: Studio) -> None:
    now = timestamp(datetime(2026, 11, 23, tzinfo=UTC))
    async with studio.begin(OPERATOR) as work:
        connection = work.ground.connection
        for table in (media, boards, workflows, users):
            await connection.execute(sa.delete(table))
        people = [
            {"user_id": user, "email": f"{user}@example.com", "is_admin": user == "root", "created_at": now, "updated_at": now}
            for user in USERS
        ]
        await connection.execute_many(sa.insert(users), people)


async def _compare(play: Play) -> None:
    for user in USERS:
        found = await play.mode.read(principal(user), lambda work: _seen(work, play))
        assert found == _expected(play, user), f"as {user} sees it"


async def _seen(work: UnitOfWork, play: Play) -> dict[str, object]:
    seen = await work.boards.all(include_archived=True)
    on_boards = {board: (await work.images.names(MediaQuery(board=board))).names for board in play.boards[:4]}
    return {
        "boards": {board.board_id: (board.user_id, board.visibility, board.cover_image_name) for board in seen},
        "writable": {board for board in play.boards if await work.boards.may_write(board)},
        "shares": {board.board_id: {share.user_id for share in await work.shares.of_board(board.board_id)} for board in seen},
        "images": {item.name: (item.user_id, item.board_id, item.starred) for item in await work.images.many(play.images)},
        "own": set((await work.images.names(MediaQuery())).names),
        "on boards": {board: set(names) for board, names in on_boards.items()},
        "workflows": {workflow.workflow_id: workflow.is_public for workflow in await work.workflows.all()},
    }


def _expected(play: Play, user: str) -> dict[str, object]:
    model = play.model
    readable = {board for board in model.boards if model.reads_board(user, board)}
    return {
        "boards": {
            board: (model.boards[board].owner, model.boards[board].visibility, model.sees_cover(user, board))
            for board in readable
        },
        "writable": {board for board in model.boards if model.writes_board(user, board)},
        "shares": {
            board: {who for who in model.boards[board].shares if model.manages_board(user, board) or who == user}
            for board in readable
        },
        "images": {
            name: (image.owner, image.board, image.starred)
            for name, image in model.images.items()
            if model.reads_image(user, name)
        },
        "own": {name for name, image in model.images.items() if user in ("root", image.owner)},
        "on boards": {
            board: {name for name, image in model.images.items() if image.board == board and board in readable}
            for board in play.boards[:4]
        },
        "workflows": {key: workflow.public for key, workflow in model.workflows.items() if model.reads_workflow(user, key)},
    }
