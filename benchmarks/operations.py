"""What is measured, and what InvokeAI's own SQLite services take for it on a comparable machine."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks.dataset import RARE_TERM, user_id
from tenantry import Principal
from tenantry.repositories import MediaQuery, UnitOfWork

__all__ = ["ADMIN", "OPERATIONS", "Operation", "restore"]

USER = Principal(user_id(7))
ADMIN = Principal(user_id(0), is_admin=True)

_GENERAL = MediaQuery(categories=("general",), is_intermediate=False)
_TAGS = ["amber", "ancient", "autumn", "birch", "bright", "bronze", "castle", "cedar", "cinematic", "cloud"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `invokeai` is InvokeAI's time in milliseconds where it is known.

    The direct mode on SQLite may take a tenth of a time above 5 ms, and twice a time below 1 ms.
    """

    name: str
    principal: Principal
    call: Callable[[UnitOfWork, int], Coroutine[Any, Any, object]]
    invokeai: float | None = None
    writes: bool = False

    @property
    def target(self) -> float | None:
        """Milliseconds that the direct mode on SQLite may take."""
        if self.invokeai is None:
            return None
        return self.invokeai / 10 if self.invokeai > 5 else self.invokeai * 2


async def _boards_with_covers(work: UnitOfWork, _: int) -> object:
    found = await work.boards.all()
    return await work.gallery.summaries([board.board_id for board in found])


_names: list[str] = []


async def _get_image(work: UnitOfWork, turn: int) -> object:
    if not _names:
        _names.extend((await work.images.names(MediaQuery())).names)
    return await work.images.get(_names[turn % len(_names)])


async def _update_board(work: UnitOfWork, turn: int) -> object:
    return await work.boards.update("b0a4d000-0000-4000-8000-000007000003", board_name=f"Board {turn}")


_saved: list[str] = []


async def _save_image(work: UnitOfWork, _: int) -> object:
    _saved.append(work.ground.ids())
    return await work.images.save(
        _saved[-1], origin="internal", category="general", width=1024, height=1024, metadata='{"positive_prompt": "fox"}'
    )


async def restore(work: UnitOfWork) -> None:
    """Take out what the measurements put in."""
    await work.images.delete(_saved)
    _saved.clear()


def _searched(term: str) -> MediaQuery:
    return MediaQuery(search=term, is_intermediate=False)


OPERATIONS = [
    Operation("page of 100, a user's", USER, lambda w, _: w.images.page(_GENERAL), 22),
    Operation("page of 100, everybody's", ADMIN, lambda w, _: w.images.page(_GENERAL), 365),
    Operation("page of 100 at offset 50,000", ADMIN, lambda w, _: w.images.page(_GENERAL, offset=50_000), 612),
    Operation("slice of 100, everybody's", ADMIN, lambda w, _: w.images.slice(_GENERAL)),
    Operation("names of a user", USER, lambda w, _: w.images.names(_GENERAL), 22),
    Operation("gallery dates of a user", USER, lambda w, _: w.gallery.dates(), 35),
    Operation("gallery dates of all", ADMIN, lambda w, _: w.gallery.dates(), 950),
    Operation("search as administrator, rare term", ADMIN, lambda w, _: w.images.page(_searched(RARE_TERM)), 434),
    Operation("search as administrator, common term", ADMIN, lambda w, _: w.images.page(_searched("amber"))),
    Operation("search as administrator, two letters", ADMIN, lambda w, _: w.images.page(_searched("fo"))),
    Operation("search as administrator, date", ADMIN, lambda w, _: w.images.page(_searched("2026-03-1"))),
    Operation("search of a user, rare term", USER, lambda w, _: w.images.page(_searched(RARE_TERM))),
    Operation("boards with covers, a user's", USER, _boards_with_covers, 362),
    Operation("boards with covers, everybody's", ADMIN, _boards_with_covers, 1150),
    Operation("counts for 10 tags", USER, lambda w, _: w.workflows.counts_by_tag(_TAGS), 1320),
    Operation("page of 20 workflows", USER, lambda w, _: w.workflows.page(limit=20)),
    Operation("images.get", USER, _get_image, 0.07),
    Operation("users.get", USER, lambda w, _: w.users.get(USER.user_id), 0.11),
    Operation("images.save", ADMIN, _save_image, 0.49, writes=True),
    Operation("boards.update", USER, _update_board, 0.34, writes=True),
]
