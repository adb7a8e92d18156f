"""What a repository may do with a connection, and how its coroutines run without an event loop."""

from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.sql import Select
from sqlalchemy.sql.selectable import CompoundSelect

from tenantry.database.identity import Identity
from tenantry.database.url import Dialect

__all__ = ["Connection", "Parameters", "Query", "run"]

T = TypeVar("T")

Parameters = Mapping[str, object]
Query = Select[Any] | CompoundSelect[Any] | Executable


class Connection(Protocol):
    """A connection inside a transaction that somebody else began and will end.

    Every method raises Tenantry's own errors; driver errors stay behind as the cause.
    """

    @property
    def dialect(self) -> Dialect: ...

    async def fetch_all(self, query: Query, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows."""
        ...

    async def fetch_one(self, query: Query, parameters: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""
        ...

    async def fetch_value(self, query: Query, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        ...

    async def execute(self, statement: Query, parameters: Parameters | None = None) -> int:
        """The number of rows that were changed."""
        ...

    async def execute_many(self, statement: Query, parameters: Sequence[Parameters]) -> None:
        """The same statement for each set of parameters; nothing for none."""
        ...

    async def act_as(self, identity: Identity) -> None:
        """Act for somebody else for the rest of the transaction."""
        ...


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine over a direct connection to its end, in this thread and without an event loop.

    Raises RuntimeError if it suspends, which a repository over a direct connection never does.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    # A coroutine of an asynchronous driver may try to wait even while it is closed.
    with suppress(RuntimeError):
        coroutine.close()
    raise RuntimeError("This coroutine waits for an event loop; only repository calls over a direct connection can be run.")
