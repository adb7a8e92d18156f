"""What a user's client keeps between visits: texts by key, some of them several megabytes long."""

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database.tables import client_state
from tenantry.repositories.base import Repository
from tenantry.repositories.checks import MAX_NAME, check_text
from tenantry.repositories.matching import folded, starts_with

__all__ = ["ClientState"]


class ClientState(Repository):
    """The principal's own state; nobody reaches another's, not even an administrator."""

    __slots__ = ()

    async def set(self, key: str, value: str) -> str:
        """Write a value, new or not; answers it. Raises `InvalidInput`."""
        insert = self._insert_into(client_state)
        changes = {name: insert.excluded[name] for name in ("value", "updated_at")}
        await self._insert(
            insert.on_conflict_do_update(index_elements=["user_id", "key"], set_=changes),
            user_id=self._me,
            key=_check_key(key),
            value=check_text(value, "value"),
            updated_at=self._now(),
        )
        return value

    async def get(self, key: str) -> str | None:
        """A value, or None."""
        value: str | None = await self._value(sa.select(client_state.c.value).where(*self._named(key)))
        return value

    async def keys_with_prefix(self, prefix: str) -> list[str]:
        """Keys that start with `prefix`, ASCII letters in either case as in InvokeAI; last written first."""
        wanted = (client_state.c.user_id == self._me, starts_with(client_state.c.key, folded(prefix, "prefix")))
        query = sa.select(client_state.c.key).where(*wanted).order_by(client_state.c.updated_at.desc(), client_state.c.key)
        return [row.key for row in await self._all(query)]

    async def delete(self, key: str) -> None:
        """Forget a value, if there is one."""
        await self._do(sa.delete(client_state).where(*self._named(key)))

    async def clear(self) -> None:
        """Forget everything."""
        await self._do(sa.delete(client_state).where(client_state.c.user_id == self._me))

    def _named(self, key: str) -> tuple[ColumnElement[bool], ...]:
        return client_state.c.user_id == self._me, client_state.c.key == _check_key(key)


def _check_key(key: str) -> str:
    return check_text(key, "key", most=MAX_NAME)
