"""Which models belong together."""

from collections.abc import Sequence

import sqlalchemy as sa

from tenantry.database.tables import model_relationships, models
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.base import among
from tenantry.repositories.privileged import PrivilegedWrites

__all__ = ["ModelRelationships"]

_pair = model_relationships.c
_DOING = "change which models belong together"


class ModelRelationships(PrivilegedWrites):
    """Pairs of models, in no direction. Methods that change something raise `NotAllowed` for a tenant."""

    __slots__ = ()

    async def add(self, one: str, other: str) -> None:
        """Relate two models; once more changes nothing. Raises `InvalidInput` for one and itself, `NotFound` for no model."""
        self._only_privileged(_DOING)
        if one == other:
            raise InvalidInput("A model cannot be related to itself.", field="model_key_2", remedy="Name another model.")
        first, second = sorted((one, other))
        known = sa.select(sa.func.count()).select_from(models).where(models.c.model_key.in_([first, second]))
        if await self._value(known) != 2:
            raise NotFound("model")
        insert = self._insert_into(model_relationships).on_conflict_do_nothing()
        await self._insert(insert, model_key_1=first, model_key_2=second, created_at=self._now())

    async def remove(self, one: str, other: str) -> None:
        """End a relationship, if there is one."""
        self._only_privileged(_DOING)
        first, second = sorted((one, other))
        await self._do(sa.delete(model_relationships).where(_pair.model_key_1 == first, _pair.model_key_2 == second))

    async def related(self, model_key: str) -> list[str]:
        """The keys of the models that belong to this one, in order."""
        return await self.related_to_any([model_key])

    async def related_to_any(self, model_keys: Sequence[str]) -> list[str]:
        """The keys of the models that belong to any of these, each once and in order; may be among those that were asked."""
        asked = list(dict.fromkeys(model_keys))
        dialect = self._connection.dialect
        onward = sa.select(_pair.model_key_2.label("model_key")).where(among(dialect, _pair.model_key_1, asked))
        back = sa.select(_pair.model_key_1.label("model_key")).where(among(dialect, _pair.model_key_2, asked))
        return [row.model_key for row in await self._all(onward.union(back).order_by("model_key"))]
