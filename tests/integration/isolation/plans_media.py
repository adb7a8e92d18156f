"""How images, videos, the gallery and the text index are attacked."""

from collections.abc import Callable

from tenantry.queue import UnitOfWork
from tenantry.repositories.media import MediaRepository
from tenantry.repositories.media_lists import MediaLists
from tenantry.repositories.media_values import UNCATEGORIZED, MediaQuery
from tests.integration.isolation.plan_kinds import Outcome, Plan, on_board, own, privileged
from tests.integration.isolation.world import DAY, Target

EMPTY, NOT_ALLOWED, NOT_FOUND = Outcome.EMPTY, Outcome.NOT_ALLOWED, Outcome.NOT_FOUND


def _queries(target: Target) -> list[MediaQuery]:
    """Every way to ask a list for somebody's rows."""
    return [
        MediaQuery(),
        MediaQuery(board=UNCATEGORIZED),
        MediaQuery(board=target.board),
        MediaQuery(board=target.board, starred_first=False, descending=False),
        MediaQuery(search="secret fox"),
        MediaQuery(search=f"{target.word} prompt", board=target.board),
        MediaQuery(search="12:00"),
        MediaQuery(created_on=DAY, is_intermediate=True),
        MediaQuery(categories=("general",), origin="internal"),
    ]


def list_plans(prefix: str, of: Callable[[UnitOfWork], MediaLists]) -> dict[str, Plan]:
    """The methods that all three lists have."""

    async def pages(work: UnitOfWork, target: Target) -> object:
        return [await of(work).page(query) for query in _queries(target)]

    async def slices(work: UnitOfWork, target: Target) -> object:
        return [await of(work).slice(query, limit=limit) for query in _queries(target) for limit in (1, 100)]

    async def names(work: UnitOfWork, target: Target) -> object:
        return [await of(work).names(query) for query in _queries(target)]

    async def count(work: UnitOfWork, target: Target) -> object:
        return await of(work).count(MediaQuery(board=target.board))

    return {
        f"{prefix}.page": own(pages),
        f"{prefix}.slice": own(slices),
        f"{prefix}.names": own(names),
        f"{prefix}.count": on_board(count, private=EMPTY),
    }


def item_plans(prefix: str, of: Callable[[UnitOfWork], MediaRepository]) -> dict[str, Plan]:
    """The methods of images and of videos."""

    def name(target: Target) -> str:
        return target.image if prefix == "images" else target.video

    async def save_over(work: UnitOfWork, target: Target) -> object:
        return await of(work).save(
            "fresh", origin="internal", category="general", width=1, height=1, board_id=target.board, starred=True
        )

    async def change(work: UnitOfWork, target: Target) -> object:
        return await of(work).update(name(target), category="taken", session_id="s", is_intermediate=True, starred=True)

    async def move_in(work: UnitOfWork, target: Target) -> object:
        return await of(work).put_on_board([name(target), "none-such"], f"{target.board}-archived")

    return {
        **list_plans(prefix, of),
        f"{prefix}.save": on_board(save_over, reader=NOT_ALLOWED),
        f"{prefix}.get": on_board(lambda work, target: of(work).get(name(target))),
        f"{prefix}.many": on_board(lambda work, target: of(work).many([name(target), "hidden-loose-image"]), private=EMPTY),
        f"{prefix}.exists": on_board(lambda work, target: of(work).exists(name(target)), private=EMPTY),
        f"{prefix}.metadata": on_board(lambda work, target: of(work).metadata(name(target))),
        f"{prefix}.update": on_board(change, reader=NOT_ALLOWED),
        f"{prefix}.star": on_board(lambda work, target: of(work).star([name(target)]), private=EMPTY, reader=EMPTY),
        f"{prefix}.delete": on_board(lambda work, target: of(work).delete([name(target)]), private=EMPTY, reader=EMPTY),
        # Nobody but the owner moves an item from one board to another.
        f"{prefix}.put_on_board": on_board(move_in, reader=NOT_ALLOWED, writer=EMPTY),
        f"{prefix}.take_off_board": on_board(
            lambda work, target: of(work).take_off_board([name(target)]), private=EMPTY, reader=EMPTY
        ),
        f"{prefix}.most_recent_of_board": on_board(
            lambda work, target: of(work).most_recent_of_board(target.board), private=EMPTY
        ),
        f"{prefix}.intermediates": own(lambda work, target: of(work).intermediates()),
        f"{prefix}.count_intermediates": own(lambda work, target: of(work).count_intermediates()),
        f"{prefix}.delete_intermediates": on_board(
            lambda work, target: of(work).delete_intermediates([target.intermediate, name(target)]),
            private=EMPTY,
            reader=EMPTY,
            writer=EMPTY,
        ),
    }


PLANS: dict[str, Plan] = {
    **item_plans("images", lambda work: work.images),
    **item_plans("videos", lambda work: work.videos),
    **list_plans("gallery", lambda work: work.gallery),
    "gallery.item_names": own(lambda work, target: _item_names(work, target)),
    "gallery.dates": own(lambda work, target: work.gallery.dates()),
    "gallery.summaries": on_board(lambda work, target: work.gallery.summaries([target.board]), private=EMPTY, repeats_ids=True),
    "search_index.pending": privileged(lambda work, target: work.search_index.pending()),
    "search_index.index": privileged(lambda work, target: work.search_index.index()),
}


async def _item_names(work: UnitOfWork, target: Target) -> object:
    return [await work.gallery.item_names(query) for query in _queries(target)]
