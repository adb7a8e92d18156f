"""What every repository stands on: a connection inside somebody else's transaction, and the principal it acts for."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import Insert as PostgreSQLInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tenantry.database import Clock, Connection, Dialect, Ids, Query, timestamp
from tenantry.errors import NotAllowed, NotFound, TenantryError
from tenantry.repositories.changes import Change
from tenantry.repositories.notes import AuditAction, Note
from tenantry.tenancy import InternalReason, Principal

__all__ = ["Ground", "Repository", "among", "among_bound", "bound"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the repositories of one unit of work share.

    `changes` is what they did, told to others after the commit; `notes` what of it goes into the audit trail.
    """

    connection: Connection
    principal: Principal
    clock: Clock
    ids: Ids
    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @asynccontextmanager
    async def elevated(self, reason: InternalReason) -> AsyncIterator[None]:
        """Act as Tenantry itself for a few statements, after the caller's right was established in its own name."""
        connection, identity = self.connection, self.principal.identity
        if identity.privileged:
            yield
            return
        await connection.act_as(Principal.internal(reason).identity)
        try:
            yield
        except BaseException:
            # After a database error or a cancelled statement the transaction can only be rolled back, and there is nobody
            # to be any more; whatever the driver says to that must not take the place of the error.
            with suppress(Exception):
                await connection.act_as(identity)
            raise
        await connection.act_as(identity)


class Repository:
    """Runs statements for one principal.

    A repository never begins, commits or waits: it awaits nothing but the connection, so that the same code runs on an
    event loop and, over a direct connection, without one. Statements of tenants carry the parameter `scope_user`.
    """

    __slots__ = ("_connection", "_everything", "_ground", "_me", "_scope")

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._connection = ground.connection
        self._me = ground.principal.user_id
        self._everything = ground.principal.sees_everything
        self._scope: dict[str, object] = {} if self._everything else {"scope_user": self._me}

    def _now(self) -> str:
        return timestamp(self._ground.clock())

    async def _all(self, query: Query, **parameters: object) -> Sequence[Row[Any]]:
        return await self._connection.fetch_all(query, {**self._scope, **parameters})

    async def _one(self, query: Query, **parameters: object) -> Row[Any] | None:
        return await self._connection.fetch_one(query, {**self._scope, **parameters})

    async def _value(self, query: Query, **parameters: object) -> Any:
        return await self._connection.fetch_value(query, {**self._scope, **parameters})

    async def _do(self, statement: Query, **parameters: object) -> int:
        """Run an UPDATE or DELETE that carries the scope; answers how many rows it changed."""
        return await self._connection.execute(statement, {**self._scope, **parameters})

    async def _insert(self, statement: Query, **values: object) -> None:
        # How many rows an INSERT wrote is not known with every driver; ask for RETURNING where it matters.
        await self._connection.execute(statement, values or None)

    def _record(self, *changes: Change) -> None:
        """Note what was done, last of all, so that nothing is told of an operation that raised an error."""
        self._ground.changes.extend(changes)

    def _note(self, action: AuditAction, subject_id: str | None, **detail: str | int | bool | list[str]) -> None:
        """Have what was done to a user stored in the audit trail; ids and numbers, nothing that somebody wrote."""
        self._ground.notes.append(Note(action, subject_id, detail))

    def _insert_into(self, table: sa.Table) -> "SQLiteInsert | PostgreSQLInsert":
        """An INSERT that knows ON CONFLICT in the connection's dialect."""
        return sqlite_insert(table) if self._connection.dialect == "sqlite" else postgresql_insert(table)

    async def _refuse(self, kind: str, visible: Query, /, **parameters: object) -> TenantryError:
        """The error for a change that touched no row: not there, as far as the principal may know, or not theirs to change."""
        if await self._one(visible, **parameters) is None:
            return NotFound(kind)
        return NotAllowed(f"You may see this {kind} but not change it.")


def among(dialect: Dialect, column: ColumnElement[Any], values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """Whether a column is one of any number of values, which travel as one parameter."""
    if dialect == "sqlite":
        listed = sa.func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.literal(list(values), ARRAY(column.type)))


def among_bound(dialect: Dialect, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Like `among`, for a statement that is built once: the values come later, by `bound` under the same name."""
    if dialect == "sqlite":
        listed = sa.func.json_each(sa.bindparam(name, type_=sa.Text())).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.bindparam(name, type_=ARRAY(column.type)))


def bound(dialect: Dialect, name: str, values: Sequence[str] | Sequence[int]) -> dict[str, object]:
    """The parameter of `among_bound`."""
    return {name: json.dumps(list(values)) if dialect == "sqlite" else list(values)}
