"""How many statements an operation sends."""

from collections.abc import Sequence
from typing import Any

from benchmarks.operations import Operation
from tenantry import Studio, run
from tenantry.database import Connection, Dialect, Identity, Parameters, Query, new_id, utc_now
from tenantry.repositories import UnitOfWork

__all__ = ["count_statements"]


def count_statements(studio: Studio, operation: Operation) -> int:
    """Run the operation once and count."""
    database, identity = studio.database, operation.principal.identity
    with database.direct_writing(identity) if operation.writes else database.direct_reading(identity) as connection:
        counting = _Counting(connection)
        run(operation.call(UnitOfWork(counting, operation.principal, utc_now, new_id), 0))
    return counting.statements


class _Counting:
    """A connection that counts what passes through."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect: Dialect = connection.dialect
        self.statements = 0

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Any]:
        self.statements += 1
        return await self._connection.fetch_all(query, parameters)

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Any:
        self.statements += 1
        return await self._connection.fetch_one(query, parameters)

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        self.statements += 1
        return await self._connection.fetch_value(query, parameters)

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        self.statements += 1
        return await self._connection.execute(statement, parameters)

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        self.statements += 1
        await self._connection.execute_many(statement, parameters)

    async def act_as(self, identity: Identity) -> None:
        await self._connection.act_as(identity)
