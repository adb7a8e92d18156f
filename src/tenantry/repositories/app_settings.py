"""Settings of the installation, among them the secret that signs access tokens; no tenant can read or change them."""

import sqlalchemy as sa

from tenantry.database.tables import app_settings
from tenantry.repositories.checks import MAX_NAME, check_name, check_text
from tenantry.repositories.privileged import PrivilegedWrites

__all__ = ["AppSettings"]

_DOING = "read and change the settings of the installation"


class AppSettings(PrivilegedWrites):
    """Texts by key, for administrators and Tenantry itself; every method raises `NotAllowed` for a tenant."""

    __slots__ = ()

    async def get(self, key: str) -> str | None:
        """A setting, or None."""
        self._only_privileged(_DOING)
        query = sa.select(app_settings.c.value).where(app_settings.c.key == check_text(key, "key", most=MAX_NAME))
        value: str | None = await self._value(query)
        return value

    async def set(self, key: str, value: str) -> None:
        """Write a setting, new or not. Raises `InvalidInput`."""
        self._only_privileged(_DOING)
        insert = self._insert_into(app_settings)
        changes = {name: insert.excluded[name] for name in ("value", "updated_at")}
        await self._insert(
            insert.on_conflict_do_update(index_elements=["key"], set_=changes), **self._row(key, check_text(value, "value"))
        )

    async def get_or_create(self, key: str, value: str) -> str:
        """A setting, which becomes `value` if there is none; all who call at once get the same one. Raises `InvalidInput`."""
        stored = await self.get(key)
        if stored is not None:
            return stored
        insert = self._insert_into(app_settings).on_conflict_do_nothing(index_elements=["key"])
        # Another's uncommitted row is waited for, and then the next statement sees it.
        await self._insert(insert, **self._row(key, check_text(value, "value")))
        stored = await self.get(key)
        assert stored is not None
        return stored

    def _row(self, key: str, value: str) -> dict[str, object]:
        now = self._now()
        return {"key": check_name(key, "key"), "value": value, "created_at": now, "updated_at": now}
