"""How boards and shares are attacked."""

from tenantry.queue import UnitOfWork
from tests.integration.isolation.plan_kinds import Outcome, Plan, on_board, own
from tests.integration.isolation.world import Target

NOT_ALLOWED = Outcome.NOT_ALLOWED


async def _rename(work: UnitOfWork, target: Target) -> object:
    return await work.boards.update(target.board, board_name="taken", visibility="public", archived=True)


async def _share_with_friend(work: UnitOfWork, target: Target) -> object:
    return await work.shares.grant(target.board, ["user-root"], "admin")


async def _slice(work: UnitOfWork, target: Target) -> object:
    return await work.boards.slice(limit=1, include_archived=True), await work.boards.slice(include_archived=True)


PLANS: dict[str, Plan] = {
    "boards.create": own(lambda work, target: work.boards.create("mine")),
    "boards.get": on_board(lambda work, target: work.boards.get(target.board)),
    "boards.may_write": on_board(
        lambda work, target: work.boards.may_write(target.board), private=Outcome.EMPTY, reader=Outcome.EMPTY
    ),
    "boards.update": on_board(_rename, reader=NOT_ALLOWED, writer=NOT_ALLOWED, manager=Outcome.SUCCESS),
    "boards.delete": on_board(lambda work, target: work.boards.delete(target.board), reader=NOT_ALLOWED, writer=NOT_ALLOWED),
    "boards.page": own(lambda work, target: work.boards.page(include_archived=True)),
    "boards.slice": own(_slice),
    "boards.all": own(lambda work, target: work.boards.all(include_archived=True)),
    "shares.of_board": on_board(lambda work, target: work.shares.of_board(target.board)),
    "shares.grant": on_board(_share_with_friend, reader=NOT_ALLOWED, writer=NOT_ALLOWED, manager=Outcome.SUCCESS),
    "shares.revoke": on_board(
        lambda work, target: work.shares.revoke("vixen-board" if target.word == "vixen" else target.board, "user-writer"),
        reader=NOT_ALLOWED,
        writer=Outcome.SUCCESS,
        owner=Outcome.SUCCESS,
    ),
}
