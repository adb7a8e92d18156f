"""Operations on a studio, each played on the model as well: who does it, to which board, image or workflow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tenantry import Principal
from tenantry.errors import TenantryError
from tests.integration.conftest import Mode, Operation
from tests.integration.isolation.model import (
    LEVELS,
    VISIBILITIES,
    Model,
    ModelBoard,
    ModelImage,
    ModelWorkflow,
    Refusal,
)
from tests.integration.isolation.plans_library import workflow_document

T = TypeVar("T")

USERS = ("ana", "bo", "cy", "root")


def principal(user: str) -> Principal:
    return Principal(user, is_admin=user == "root")


@dataclass(frozen=True)
class Step:
    """One operation; numbers choose among what there is or was, so that any sequence means something."""

    name: str
    user: str
    first: int
    second: int


@dataclass
class Play:
    """Plays steps on the studio and on the model, and compares what comes of each."""

    mode: Mode
    model: Model = field(default_factory=Model)
    boards: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    workflows: list[str] = field(default_factory=list)

    async def step(self, step: Step) -> None:
        await STEPS[step.name](self, step)

    async def do(self, step: Step, refusal: Refusal | None, operation: Operation[T]) -> T | None:
        """Run an operation that must be refused so, or not at all."""
        caught: TenantryError | None = None
        answer: T | None = None
        try:
            answer = await self.mode.write(principal(step.user), operation)
        except TenantryError as error:
            caught = error
        outcome = None if caught is None else type(caught)
        assert outcome is refusal, f"{step}: {caught!r} instead of {refusal}"
        return answer

    def board(self, number: int) -> str:
        return self.boards[number % len(self.boards)] if self.boards else "no-board"

    def board_or_none(self, number: int) -> str | None:
        return None if number == 0 else self.board(number)

    def image(self, number: int) -> str:
        return self.images[number % len(self.images)] if self.images else "no-image"

    def workflow(self, number: int) -> str:
        return self.workflows[number % len(self.workflows)] if self.workflows else "no-workflow"


async def make_board(play: Play, step: Step) -> None:
    visibility = VISIBILITIES[step.first % 3]
    made = await play.do(step, None, lambda work: work.boards.create("board", visibility=visibility))
    assert made is not None
    play.boards.append(made.board_id)
    play.model.boards[made.board_id] = ModelBoard(step.user, visibility)


async def show_board(play: Play, step: Step) -> None:
    board, visibility = play.board(step.first), VISIBILITIES[step.second % 3]
    refusal = play.model.refusal_to_manage(step.user, board)
    await play.do(step, refusal, lambda work: work.boards.update(board, visibility=visibility))
    if refusal is None:
        play.model.boards[board].visibility = visibility


async def delete_board(play: Play, step: Step) -> None:
    board = play.board(step.first)
    refusal = play.model.refusal_to_delete(step.user, board)
    await play.do(step, refusal, lambda work: work.boards.delete(board))
    if refusal is None:
        play.model.delete_board(board)


async def cover_board(play: Play, step: Step) -> None:
    board, image = play.board(step.first), play.image(step.second)
    refusal = play.model.refusal_to_cover(step.user, board, image)
    await play.do(step, refusal, lambda work: work.boards.update(board, cover_image_name=image))
    if refusal is None:
        play.model.boards[board].cover = image


async def grant(play: Play, step: Step) -> None:
    board, other, level = play.board(step.first), USERS[step.second % 4], LEVELS[step.second % 3]
    refusal = play.model.refusal_to_grant(step.user, board, other)
    await play.do(step, refusal, lambda work: work.shares.grant(board, [other], level))
    if refusal is None:
        play.model.boards[board].shares[other] = level


async def revoke(play: Play, step: Step) -> None:
    board, other = play.board(step.first), USERS[step.second % 4]
    refusal = play.model.refusal_to_revoke(step.user, board, other)
    await play.do(step, refusal, lambda work: work.shares.revoke(board, other))
    if refusal is None:
        del play.model.boards[board].shares[other]


async def make_image(play: Play, step: Step) -> None:
    board, name = play.board_or_none(step.first), f"image-{len(play.images)}"
    refusal = play.model.refusal_to_put(step.user, board)
    await play.do(
        step,
        refusal,
        lambda work: work.images.save(name, origin="internal", category="general", width=1, height=1, board_id=board),
    )
    if refusal is None:
        play.images.append(name)
        play.model.images[name] = ModelImage(step.user, board)


async def move_image(play: Play, step: Step) -> None:
    image, board = play.image(step.first), play.board(step.second)
    refusal = play.model.refusal_to_put(step.user, board)
    moved = await play.do(step, refusal, lambda work: work.images.put_on_board([image], board))
    stored = play.model.images.get(image)
    if refusal is None:
        mine = stored is not None and step.user in ("root", stored.owner)
        assert moved == ([image] if mine else [])
        if mine and stored is not None:
            stored.board = board


async def take_off(play: Play, step: Step) -> None:
    image = play.image(step.first)
    allowed = play.model.writes_image(step.user, image) and play.model.images[image].board is not None
    assert await play.do(step, None, lambda work: work.images.take_off_board([image])) == ([image] if allowed else [])
    if allowed:
        play.model.images[image].board = None


async def star(play: Play, step: Step) -> None:
    image = play.image(step.first)
    allowed = play.model.writes_image(step.user, image)
    assert await play.do(step, None, lambda work: work.images.star([image])) == ([image] if allowed else [])
    if allowed:
        play.model.images[image].starred = True


async def unstar(play: Play, step: Step) -> None:
    image = play.image(step.first)
    refusal = play.model.refusal_to_update_image(step.user, image)
    await play.do(step, refusal, lambda work: work.images.update(image, starred=False))
    if refusal is None:
        play.model.images[image].starred = False


async def delete_image(play: Play, step: Step) -> None:
    image = play.image(step.first)
    allowed = play.model.writes_image(step.user, image)
    assert await play.do(step, None, lambda work: work.images.delete([image])) == ([image] if allowed else [])
    if allowed:
        play.model.delete_image(image)


async def make_workflow(play: Play, step: Step) -> None:
    public = step.first % 2 == 1
    made = await play.do(step, None, lambda work: work.workflows.create(workflow_document(), is_public=public))
    assert made is not None
    play.workflows.append(made.workflow_id)
    play.model.workflows[made.workflow_id] = ModelWorkflow(step.user, public)


async def show_workflow(play: Play, step: Step) -> None:
    workflow, public = play.workflow(step.first), step.second % 2 == 1
    refusal = play.model.refusal_to_change_workflow(step.user, workflow)
    await play.do(step, refusal, lambda work: work.workflows.set_public(workflow, public))
    if refusal is None:
        play.model.workflows[workflow].public = public


async def delete_workflow(play: Play, step: Step) -> None:
    workflow = play.workflow(step.first)
    refusal = play.model.refusal_to_change_workflow(step.user, workflow)
    await play.do(step, refusal, lambda work: work.workflows.delete(workflow))
    if refusal is None:
        del play.model.workflows[workflow]


STEPS: dict[str, Callable[[Play, Step], Awaitable[None]]] = {
    step.__name__: step
    for step in (
        make_board,
        make_image,
        make_workflow,
        grant,
        move_image,
        show_board,
        cover_board,
        star,
        unstar,
        take_off,
        show_workflow,
        revoke,
        delete_image,
        delete_workflow,
        delete_board,
    )
}
