"""Models of the installation: everybody sees them, administrators keep them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row

from tenantry.database.tables import models
from tenantry.errors import Conflict, InvalidInput, NotFound
from tenantry.repositories.model_configs import ModelColumns, model_columns, with_changes
from tenantry.repositories.pages import Page, check_window
from tenantry.repositories.privileged import PrivilegedWrites

__all__ = ["Model", "ModelOrder", "Models"]

ModelOrder = Literal["default", "type", "base", "name", "format", "size", "created_at", "updated_at", "path"]
"""`default` is by type, base, name and format."""

_DOING = "change the models"
_BASE, _NAME = sa.func.lower(models.c.base), sa.func.lower(models.c.name)
_ORDERS: dict[ModelOrder, tuple[ColumnElement[Any], ...]] = {
    "default": (models.c.type, _BASE, _NAME, models.c.format),
    "type": (models.c.type,),
    "base": (_BASE,),
    "name": (_NAME,),
    "format": (models.c.format,),
    "size": (models.c.file_size,),
    "created_at": (models.c.created_at,),
    "updated_at": (models.c.updated_at,),
    "path": (models.c.path,),
}


@dataclass(frozen=True, slots=True)
class Model(ModelColumns):
    """A model; `config` is the JSON text as it was stored. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    created_at: str
    updated_at: str
    config: str


_COLUMNS = tuple(models.c[name] for name in (*ModelColumns.__slots__, *Model.__slots__))


class Models(PrivilegedWrites):
    """The models. Every method that changes something raises `NotAllowed` for a tenant."""

    __slots__ = ()

    async def add(self, config: str) -> Model:
        """Add a model. Raises `InvalidInput`, and `Conflict` for a path, or a key, that is taken."""
        self._only_privileged(_DOING)
        columns, now = model_columns(config), self._now()
        insert = self._insert_into(models).on_conflict_do_nothing().returning(*_COLUMNS)
        values = {**asdict(columns), "created_at": now, "updated_at": now, "config": config}
        row = await self._connection.fetch_one(insert, values)
        if row is None:
            raise await self._taken(columns)
        return _model(row)

    async def get(self, model_key: str) -> Model:
        """One model. Raises `NotFound`."""
        row = await self._one(sa.select(*_COLUMNS).where(models.c.model_key == model_key))
        if row is None:
            raise NotFound("model")
        return _model(row)

    async def exists(self, model_key: str) -> bool:
        """Whether there is a model with this key."""
        return await self._one(sa.select(sa.true()).where(models.c.model_key == model_key)) is not None

    async def update(self, model_key: str, changes: Mapping[str, object]) -> Model:
        """Change some members of a configuration, None among the values.

        Raises `NotFound`, `Conflict` for a path that is taken, or `InvalidInput`, also for another key.
        """
        self._only_privileged(_DOING)
        # Locked, because the configuration is read and written back.
        stored = sa.select(models.c.config).where(models.c.model_key == model_key).with_for_update()
        config: str | None = await self._value(stored)
        if config is None:
            raise NotFound("model")
        return await self.replace(model_key, with_changes(config, changes))

    async def replace(self, model_key: str, config: str) -> Model:
        """Put another configuration in the place of a model's. Errors as for `update`."""
        self._only_privileged(_DOING)
        columns = model_columns(config)
        if columns.model_key != model_key:
            raise InvalidInput("The key of a model never changes.", field="key", remedy="Add it as another model.")
        if await self._one(sa.select(sa.true()).where(models.c.path == columns.path, models.c.model_key != model_key)):
            raise _path_taken()
        values = {**asdict(columns), "updated_at": self._now(), "config": config}
        row = await self._one(sa.update(models).where(models.c.model_key == model_key).values(values).returning(*_COLUMNS))
        if row is None:
            raise NotFound("model")
        return _model(row)

    async def delete(self, model_key: str) -> None:
        """Delete a model and its relationships. Raises `NotFound`."""
        self._only_privileged(_DOING)
        if not await self._do(sa.delete(models).where(models.c.model_key == model_key)):
            raise NotFound("model")

    async def all(self, *, order_by: ModelOrder = "default", descending: bool = False) -> list[Model]:
        """Every model; base and name sort without regard to case."""
        return await self.search_by_attr(order_by=order_by, descending=descending)

    async def page(
        self, *, offset: int = 0, limit: int = 100, order_by: ModelOrder = "default", descending: bool = False
    ) -> Page[Model]:
        """The models from `offset` on, with the number of all. Raises `InvalidInput`."""
        check_window(limit, offset)
        total = await self._value(sa.select(sa.func.count()).select_from(models))
        query = sa.select(*_COLUMNS).order_by(*_order(order_by, descending)).limit(limit).offset(offset)
        return Page([_model(row) for row in await self._all(query)], total, offset, limit)

    async def search_by_attr(
        self,
        *,
        model_name: str | None = None,
        base_model: str | None = None,
        model_type: str | None = None,
        model_format: str | None = None,
        order_by: ModelOrder = "default",
        descending: bool = False,
    ) -> list[Model]:
        """The models that have exactly these attributes; what is None filters nothing."""
        asked = {"name": model_name, "base": base_model, "type": model_type, "format": model_format}
        wanted = [models.c[column] == value for column, value in asked.items() if value is not None]
        return await self._found(*wanted, order=_order(order_by, descending))

    async def by_path(self, path: str) -> list[Model]:
        """The model at this path, if there is one."""
        return await self._found(models.c.path == path)

    async def by_hash(self, model_hash: str) -> list[Model]:
        """The models with this hash, oldest first."""
        return await self._found(models.c.hash == model_hash)

    async def _found(self, *wanted: ColumnElement[bool], order: list[ColumnElement[Any]] | None = None) -> list[Model]:
        keys = order or _order("created_at", descending=False)
        return [_model(row) for row in await self._all(sa.select(*_COLUMNS).where(*wanted).order_by(*keys))]

    async def _taken(self, columns: ModelColumns) -> Conflict:
        if await self.exists(columns.model_key):
            return Conflict("A model with this key is already installed.", field="key")
        return _path_taken()


def _path_taken() -> Conflict:
    return Conflict("A model with this path is already installed.", field="path", remedy="Delete the other model first.")


def _order(order_by: ModelOrder, descending: bool) -> list[ColumnElement[Any]]:
    if order_by not in _ORDERS:
        raise InvalidInput("Models cannot be ordered by this.", field="order_by", remedy=f"Use one of: {', '.join(_ORDERS)}.")
    keys = (*_ORDERS[order_by], models.c.created_at, models.c.model_key)
    return [key.desc() if descending else key.asc() for key in keys]


def _model(row: Row[Any]) -> Model:
    return Model(**row._mapping)
