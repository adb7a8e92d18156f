"""Who may see and change what, in a few dictionaries: what the studio is compared with after each sequence of operations."""

from dataclasses import dataclass, field

from tenantry.errors import InvalidInput, NotAllowed, NotFound, TenantryError

ADMINISTRATOR = "root"
LEVELS = ("read", "write", "admin")
VISIBILITIES = ("private", "shared", "public")

Refusal = type[TenantryError]


@dataclass
class ModelBoard:
    owner: str
    visibility: str
    shares: dict[str, str] = field(default_factory=dict)
    cover: str | None = None


@dataclass
class ModelImage:
    owner: str
    board: str | None
    starred: bool = False


@dataclass
class ModelWorkflow:
    owner: str
    public: bool


@dataclass
class Model:
    """A studio's rows, without any database."""

    boards: dict[str, ModelBoard] = field(default_factory=dict)
    images: dict[str, ModelImage] = field(default_factory=dict)
    workflows: dict[str, ModelWorkflow] = field(default_factory=dict)

    def reads_board(self, user: str, board_id: str | None) -> bool:
        board = self.boards.get(board_id or "")
        if board is None:
            return False
        return user in (ADMINISTRATOR, board.owner) or board.visibility != "private" or user in board.shares

    def writes_board(self, user: str, board_id: str | None) -> bool:
        board = self.boards.get(board_id or "")
        if board is None:
            return False
        granted = board.shares.get(user) in ("write", "admin")
        return user in (ADMINISTRATOR, board.owner) or board.visibility == "public" or granted

    def manages_board(self, user: str, board_id: str) -> bool:
        board = self.boards[board_id]
        return user in (ADMINISTRATOR, board.owner) or board.shares.get(user) == "admin"

    def reads_image(self, user: str, name: str) -> bool:
        image = self.images.get(name)
        return image is not None and (user in (ADMINISTRATOR, image.owner) or self.reads_board(user, image.board))

    def writes_image(self, user: str, name: str) -> bool:
        image = self.images.get(name)
        return image is not None and (user in (ADMINISTRATOR, image.owner) or self.writes_board(user, image.board))

    def sees_cover(self, user: str, board_id: str) -> str | None:
        cover = self.boards[board_id].cover
        return cover if cover is not None and self.may_cover(user, cover, board_id) else None

    def may_cover(self, user: str, name: str, board_id: str) -> bool:
        image = self.images.get(name)
        return image is not None and (user in (ADMINISTRATOR, image.owner) or image.board == board_id)

    def reads_workflow(self, user: str, workflow_id: str) -> bool:
        workflow = self.workflows.get(workflow_id)
        return workflow is not None and (user in (ADMINISTRATOR, workflow.owner) or workflow.public)

    def refusal_to_manage(self, user: str, board_id: str) -> Refusal | None:
        if not self.reads_board(user, board_id):
            return NotFound
        return None if self.manages_board(user, board_id) else NotAllowed

    def refusal_to_delete(self, user: str, board_id: str) -> Refusal | None:
        if not self.reads_board(user, board_id):
            return NotFound
        return None if user in (ADMINISTRATOR, self.boards[board_id].owner) else NotAllowed

    def refusal_to_put(self, user: str, board_id: str | None) -> Refusal | None:
        if board_id is None:
            return None
        if not self.reads_board(user, board_id):
            return NotFound
        return None if self.writes_board(user, board_id) else NotAllowed

    def refusal_to_grant(self, user: str, board_id: str, other: str) -> Refusal | None:
        refused = self.refusal_to_manage(user, board_id)
        return refused or (InvalidInput if other == self.boards[board_id].owner else None)

    def refusal_to_revoke(self, user: str, board_id: str, other: str) -> Refusal | None:
        refused = None if user == other else self.refusal_to_manage(user, board_id)
        has_share = board_id in self.boards and other in self.boards[board_id].shares
        return refused or (None if has_share else NotFound)

    def refusal_to_cover(self, user: str, board_id: str, name: str) -> Refusal | None:
        # Whoever may not change the board learns that and nothing of the image.
        refused = self.refusal_to_manage(user, board_id)
        return refused or (None if self.may_cover(user, name, board_id) else InvalidInput)

    def refusal_to_update_image(self, user: str, name: str) -> Refusal | None:
        if not self.reads_image(user, name):
            return NotFound
        return None if self.writes_image(user, name) else NotAllowed

    def refusal_to_change_workflow(self, user: str, workflow_id: str) -> Refusal | None:
        if not self.reads_workflow(user, workflow_id):
            return NotFound
        return None if user in (ADMINISTRATOR, self.workflows[workflow_id].owner) else NotAllowed

    def delete_board(self, board_id: str) -> None:
        del self.boards[board_id]
        for image in self.images.values():
            if image.board == board_id:
                image.board = None

    def delete_image(self, name: str) -> None:
        del self.images[name]
        for board in self.boards.values():
            if board.cover == name:
                board.cover = None
