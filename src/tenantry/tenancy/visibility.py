"""Who may see and change what, as SQL conditions: the first line of tenancy.

Each function takes `everything`, true for an administrator or Tenantry itself, and gives a condition over its table. A
condition for a tenant compares with the parameter `scope_user`, which `Repository` binds to the principal's user id. So a
condition is the same for every tenant, and each is built once.
"""

from enum import StrEnum
from functools import cache

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import board_shares, boards, media, style_presets, system_prompts, workflows

__all__ = [
    "ME",
    "BoardVisibility",
    "Permission",
    "board_manageable",
    "board_readable",
    "board_writable",
    "media_readable",
    "media_writable",
    "owned",
    "preset_readable",
    "prompt_readable",
    "workflow_readable",
]

ME: ColumnElement[str] = sa.bindparam("scope_user", type_=sa.Text())
"""The acting user's id."""


class BoardVisibility(StrEnum):
    """Who besides the owner sees a board: nobody; everybody; everybody, who may also put things on it."""

    PRIVATE = "private"
    SHARED = "shared"
    PUBLIC = "public"

    @property
    def is_open(self) -> bool:
        """Whether everybody sees it."""
        return self is not BoardVisibility.PRIVATE


class Permission(StrEnum):
    """What a share allows: see; also put things on it and change what is there; also rename it and share it on."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


def owned(table: sa.FromClause, *, everything: bool) -> ColumnElement[bool]:
    """The user's own rows."""
    return sa.true() if everything else table.c.user_id == ME


@cache
def board_readable(*, everything: bool) -> ColumnElement[bool]:
    """Own boards, boards shown to everybody, and boards shared with the user."""
    if everything:
        return sa.true()
    return sa.or_(
        boards.c.user_id == ME,
        *_one_of(boards.c.visibility, BoardVisibility.SHARED, BoardVisibility.PUBLIC),
        boards.c.board_id.in_(sa.select(board_shares.c.board_id).where(board_shares.c.user_id == ME)),
    )


@cache
def board_writable(*, everything: bool) -> ColumnElement[bool]:
    """Boards that the user may put things on, and whose things they may change."""
    return _board_granting(everything, boards.c.visibility == BoardVisibility.PUBLIC, [Permission.WRITE, Permission.ADMIN])


@cache
def board_manageable(*, everything: bool) -> ColumnElement[bool]:
    """Boards that the user may rename, archive, show to others and share."""
    return _board_granting(everything, sa.false(), [Permission.ADMIN])


@cache
def media_readable(*, everything: bool) -> ColumnElement[bool]:
    """Own images and videos, and those on boards that the user may read."""
    return sa.true() if everything else sa.or_(media.c.user_id == ME, _on_board(board_readable(everything=False)))


@cache
def media_writable(*, everything: bool) -> ColumnElement[bool]:
    """Own images and videos, and those on boards that the user may write (contract, section 7: PATCH, DELETE, star)."""
    return sa.true() if everything else sa.or_(media.c.user_id == ME, _on_board(board_writable(everything=False)))


@cache
def workflow_readable(*, everything: bool) -> ColumnElement[bool]:
    """Own, public and default workflows."""
    if everything:
        return sa.true()
    return sa.or_(workflows.c.user_id == ME, workflows.c.is_public, workflows.c.category == "default")


@cache
def preset_readable(*, everything: bool) -> ColumnElement[bool]:
    """Own, public and default style presets."""
    if everything:
        return sa.true()
    return sa.or_(style_presets.c.user_id == ME, style_presets.c.is_public, style_presets.c.type == "default")


@cache
def prompt_readable(*, everything: bool) -> ColumnElement[bool]:
    """Own and public system prompts."""
    return sa.true() if everything else sa.or_(system_prompts.c.user_id == ME, system_prompts.c.is_public)


def _board_granting(everything: bool, anyway: ColumnElement[bool], levels: list[Permission]) -> ColumnElement[bool]:
    if everything:
        return sa.true()
    granted = sa.select(board_shares.c.board_id).where(
        board_shares.c.user_id == ME, sa.or_(*_one_of(board_shares.c.permission, *levels))
    )
    return sa.or_(boards.c.user_id == ME, anyway, boards.c.board_id.in_(granted))


def _on_board(allowed: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.exists().where(boards.c.board_id == media.c.board_id, allowed)


def _one_of(column: sa.Column[str], *values: str) -> list[ColumnElement[bool]]:
    # Not IN, whose list SQLAlchemy writes out anew at each execution: a sixth of the time of a one-row read.
    return [column == value for value in values]
