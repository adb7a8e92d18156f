"""What others lose when all that a user owns is deleted; the user's own things go without a word for each."""

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.database.tables import board_shares, boards, media, workflows
from tenantry.repositories.changes import BoardDeleted, Change, MediaDeleted, WorkflowDeleted
from tenantry.tenancy import BoardVisibility

__all__ = ["lost_to_others"]


async def lost_to_others(connection: Connection, user_id: str) -> list[Change]:
    """What is to be told of a user's things that others see; read it while they are there, as Tenantry itself."""
    return [
        *await _boards(connection, user_id),
        *await _media_on_others_boards(connection, user_id),
        *await _public_workflows(connection, user_id),
    ]


async def _boards(connection: Connection, user_id: str) -> list[BoardDeleted]:
    viewer = board_shares.c.user_id.label("viewer")
    seen = sa.or_(boards.c.visibility != BoardVisibility.PRIVATE, board_shares.c.user_id.is_not(None))
    query = (
        sa.select(boards.c.board_id, boards.c.visibility, viewer)
        .select_from(boards.outerjoin(board_shares, board_shares.c.board_id == boards.c.board_id))
        .where(boards.c.user_id == user_id, seen)
        .order_by(boards.c.board_id, viewer)
    )
    viewers: dict[tuple[str, str], list[str]] = {}
    for row in await connection.fetch_all(query):
        viewers.setdefault((row.board_id, row.visibility), []).extend([row.viewer] if row.viewer is not None else [])
    return [
        BoardDeleted(user_id, board_id, BoardVisibility(visibility).is_open, tuple(shared_with))
        for (board_id, visibility), shared_with in viewers.items()
    ]


async def _media_on_others_boards(connection: Connection, user_id: str) -> list[MediaDeleted]:
    query = (
        sa.select(media.c.kind, media.c.board_id, media.c.name)
        .join(boards, boards.c.board_id == media.c.board_id)
        .where(media.c.user_id == user_id, boards.c.user_id != user_id)
        .order_by(media.c.kind, media.c.board_id, media.c.name)
    )
    names: dict[tuple[str, str], list[str]] = {}
    for row in await connection.fetch_all(query):
        names.setdefault((row.kind, row.board_id), []).append(row.name)
    return [
        MediaDeleted(user_id, "image" if kind == "image" else "video", tuple(found), board_id)
        for (kind, board_id), found in names.items()
    ]


async def _public_workflows(connection: Connection, user_id: str) -> list[WorkflowDeleted]:
    public = workflows.c.is_public == sa.true()
    query = sa.select(workflows.c.workflow_id).where(workflows.c.user_id == user_id, public).order_by(workflows.c.workflow_id)
    return [WorkflowDeleted(user_id, row.workflow_id, is_public=True) for row in await connection.fetch_all(query)]
