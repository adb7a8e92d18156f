"""The workflow library."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import workflows
from tenantry.errors import Conflict, InvalidInput, NotAllowed, NotFound, TenantryError
from tenantry.repositories.changes import WorkflowCreated, WorkflowDeleted, WorkflowUpdated
from tenantry.repositories.checks import check_name
from tenantry.repositories.defaults import DefaultsSynced, WithDefaults
from tenantry.repositories.workflow_documents import Described, WorkflowCategory, describe, with_id, with_shared_tag
from tenantry.repositories.workflow_lists import SUMMARY_COLUMNS, WorkflowLists, WorkflowSummary, summary_values
from tenantry.tenancy import SYSTEM_USER_ID
from tenantry.tenancy.visibility import owned, workflow_readable

__all__ = ["Workflow", "Workflows"]

_COLUMNS = (*SUMMARY_COLUMNS, workflows.c.document)
_DEFAULT = workflows.c.category == WorkflowCategory.DEFAULT


@dataclass(frozen=True, slots=True)
class Workflow(WorkflowSummary):
    """A workflow with its document, the JSON text as it was stored."""

    document: str


class Workflows(WorkflowLists, WithDefaults):
    """The workflows that a principal may see, and the changes that it may make to its own.

    Workflows that come with the studio are changed by `sync_defaults` alone.
    """

    __slots__ = ()

    async def create(self, document: str, *, workflow_id: str | None = None, is_public: bool = False) -> Workflow:
        """Add a workflow of one's own.

        With `workflow_id` the document is stored as it is; without, an id is made and written into it. Raises `InvalidInput`,
        and `Conflict` for an id that is taken.
        """
        if workflow_id is None:
            workflow_id = self._ground.ids()
            document = with_id(document, workflow_id)
        check_name(workflow_id, "workflow_id")
        now = self._now()
        insert = self._insert_into(workflows).on_conflict_do_nothing(index_elements=["workflow_id"]).returning(*_COLUMNS)
        values = {
            "workflow_id": workflow_id,
            "user_id": self._me,
            "is_public": is_public,
            "created_at": now,
            "updated_at": now,
            "document": document,
            **_columns(_described_by_user(document)),
        }
        row = await self._connection.fetch_one(insert, values)
        if row is None:
            raise Conflict("This id is taken.", field="workflow_id", remedy="Leave it out to get a new one.")
        self._record(WorkflowCreated(self._me, workflow_id, is_public))
        return _workflow(row)

    async def get(self, workflow_id: str) -> Workflow:
        """One workflow; reading is not opening. Raises `NotFound`."""
        row = await self._one(_get(self._everything), workflow_id=workflow_id)
        if row is None:
            raise NotFound("workflow")
        return _workflow(row)

    async def update(self, workflow_id: str, document: str) -> Workflow:
        """Put another document in the place of a workflow's. Raises `InvalidInput`, `NotFound` or `NotAllowed`."""
        values = {"document": document, **_columns(_described_by_user(document))}
        return await self._change(workflow_id, values)

    async def set_public(self, workflow_id: str, is_public: bool) -> Workflow:
        """Show a workflow to everybody or to its owner alone, and add or remove its tag `shared` with it.

        Raises `NotFound` or `NotAllowed`.
        """
        # Locked, because the document is read and written back.
        columns = sa.select(workflows.c.document, workflows.c.is_public)
        stored = await self._one(columns.where(*self._changeable(workflow_id)).with_for_update())
        if stored is None:
            raise await self._not_changeable(workflow_id)
        tagged = with_shared_tag(stored.document, shared=is_public)
        values = {"document": tagged, "is_public": is_public, **_columns(describe(tagged))}
        return await self._change(workflow_id, values, was_public=stored.is_public)

    async def touch_opened(self, workflow_id: str) -> None:
        """Note that a workflow was opened now, also one that comes with the studio. Raises `NotFound` or `NotAllowed`."""
        now = self._now()
        mine = owned(workflows, everything=self._everything)
        change = sa.update(workflows).where(workflows.c.workflow_id == workflow_id, mine).values(opened_at=now, updated_at=now)
        if not await self._do(change):
            raise await self._refuse("workflow", _get(self._everything), workflow_id=workflow_id)

    async def delete(self, workflow_id: str) -> None:
        """Delete a workflow. Raises `NotFound` or `NotAllowed`."""
        gone = sa.delete(workflows).where(*self._changeable(workflow_id))
        row = await self._one(gone.returning(workflows.c.user_id, workflows.c.is_public))
        if row is None:
            raise await self._not_changeable(workflow_id)
        self._record(WorkflowDeleted(row.user_id, workflow_id, row.is_public))

    async def sync_defaults(self, documents: Mapping[str, str]) -> DefaultsSynced:
        """Make these, by id, the workflows that come with the studio; when they were opened is kept.

        Any number of servers may do so at once. Raises `NotAllowed`, `InvalidInput`, and `Conflict` for an id of a user's.
        """
        self._only_privileged("change the workflows that come with the studio")
        rows = {workflow_id: _default_row(workflow_id, document) for workflow_id, document in documents.items()}
        wanted = {workflow_id: (document,) for workflow_id, document in documents.items()}
        return await self._sync(
            workflows.c.workflow_id,
            _DEFAULT,
            (workflows.c.document,),
            wanted,
            lambda workflow_id: self._put_default(rows[workflow_id]),
        )

    async def _put_default(self, row: dict[str, str | None]) -> None:
        now = self._now()
        insert = self._insert_into(workflows)
        taken_over = {name: insert.excluded[name] for name in ("name", "description", "tags", "document", "updated_at")}
        upsert = insert.on_conflict_do_update(index_elements=["workflow_id"], set_=taken_over, where=_DEFAULT)
        values = {**row, "user_id": SYSTEM_USER_ID, "created_at": now, "updated_at": now}
        if await self._connection.fetch_one(upsert.returning(workflows.c.workflow_id), values) is None:
            raise Conflict(f"The id {row['workflow_id']} belongs to a workflow of a user's.", field="workflow_id")

    async def _change(self, workflow_id: str, values: dict[str, Any], *, was_public: bool | None = None) -> Workflow:
        """Change a workflow, which is as public as before unless the caller says what it was."""
        change = sa.update(workflows).where(*self._changeable(workflow_id)).values(updated_at=self._now(), **values)
        row = await self._one(change.returning(*_COLUMNS))
        if row is None:
            raise await self._not_changeable(workflow_id)
        before = row.is_public if was_public is None else was_public
        self._record(WorkflowUpdated(row.user_id, workflow_id, before, row.is_public))
        return _workflow(row)

    def _changeable(self, workflow_id: str) -> tuple[ColumnElement[bool], ...]:
        return workflows.c.workflow_id == workflow_id, sa.not_(_DEFAULT), owned(workflows, everything=self._everything)

    async def _not_changeable(self, workflow_id: str) -> TenantryError:
        row = await self._one(_get(self._everything), workflow_id=workflow_id)
        if row is not None and row.category == WorkflowCategory.DEFAULT:
            return NotAllowed("Workflows that come with the studio cannot be changed.", remedy="Save a copy of it as your own.")
        return NotFound("workflow") if row is None else NotAllowed("You may see this workflow but not change it.")


@cache
def _get(everything: bool) -> Select[Any]:
    wanted = workflows.c.workflow_id == sa.bindparam("workflow_id")
    return sa.select(*_COLUMNS).where(wanted, workflow_readable(everything=everything))


def _described_by_user(document: str) -> Described:
    described = describe(document)
    if described.category is WorkflowCategory.DEFAULT:
        raise InvalidInput(
            "Only the studio itself has default workflows.", field="category", remedy='Set the category to "user".'
        )
    return described


def _default_row(workflow_id: str, document: str) -> dict[str, str | None]:
    described = describe(document)
    if described.category is not WorkflowCategory.DEFAULT:
        raise InvalidInput(f"The workflow {workflow_id} is not of the category default.", field="category")
    return {"workflow_id": check_name(workflow_id, "workflow_id"), "document": document, **_columns(described)}


def _columns(described: Described) -> dict[str, str | None]:
    return asdict(described)


def _workflow(row: Row[Any]) -> Workflow:
    return Workflow(**summary_values(row), document=row.document)
