"""Style presets."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import style_presets
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.checks import check_choice, check_json, check_name
from tenantry.repositories.defaults import DefaultsSynced, WithDefaults
from tenantry.tenancy import SYSTEM_USER_ID
from tenantry.tenancy.visibility import owned, preset_readable

__all__ = ["Preset", "PresetType", "Presets"]

_DEFAULT_IDS = UUID("6f0c2c0e-63a5-4c1f-9f0e-2f5b7f0c9a51")
"""Namespace of the ids of presets that come with the studio: the same name has the same id on every server."""


class PresetType(StrEnum):
    """A user's own preset, or one that everybody has."""

    USER = "user"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Preset:
    """A style preset; `preset_data` is the JSON text as it was stored. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    preset_id: str
    user_id: str
    is_public: bool
    type: PresetType
    name: str
    preset_data: str
    created_at: str
    updated_at: str


_COLUMNS = tuple(style_presets.c[name] for name in Preset.__slots__)
_DEFAULT = style_presets.c.type == PresetType.DEFAULT


class Presets(WithDefaults):
    """The presets that a principal may see, and the changes that it may make; defaults are the administrators'."""

    __slots__ = ()

    async def create(
        self, name: str, preset_data: str, *, preset_type: str = PresetType.USER, is_public: bool = False
    ) -> Preset:
        """Add a preset of one's own. Raises `InvalidInput`, and `NotAllowed` for a default of a tenant's."""
        kind = check_choice(preset_type, PresetType, "type")
        if kind is PresetType.DEFAULT:
            self._only_privileged("add default style presets")
        now = self._now()
        preset = Preset(
            preset_id=self._ground.ids(),
            user_id=self._me,
            is_public=is_public,
            type=kind,
            name=check_name(name, "name"),
            preset_data=_check_data(preset_data),
            created_at=now,
            updated_at=now,
        )
        await self._insert(sa.insert(style_presets), **{column: getattr(preset, column) for column in Preset.__slots__})
        return preset

    async def get(self, preset_id: str) -> Preset:
        """One preset. Raises `NotFound`."""
        row = await self._one(_get(self._everything), preset_id=preset_id)
        if row is None:
            raise NotFound("style preset")
        return _preset(row)

    async def update(
        self, preset_id: str, *, name: str | None = None, preset_data: str | None = None, is_public: bool | None = None
    ) -> Preset:
        """Change what is given. Raises `InvalidInput`, `NotFound` or `NotAllowed`."""
        changes: dict[str, object] = {"updated_at": self._now()}
        if name is not None:
            changes["name"] = check_name(name, "name")
        if preset_data is not None:
            changes["preset_data"] = _check_data(preset_data)
        if is_public is not None:
            changes["is_public"] = is_public
        change = sa.update(style_presets).where(*self._changeable(preset_id)).values(changes).returning(*_COLUMNS)
        row = await self._one(change)
        if row is None:
            raise await self._refuse("style preset", _get(self._everything), preset_id=preset_id)
        return _preset(row)

    async def delete(self, preset_id: str) -> None:
        """Delete a preset. Raises `NotFound` or `NotAllowed`."""
        if not await self._do(sa.delete(style_presets).where(*self._changeable(preset_id))):
            raise await self._refuse("style preset", _get(self._everything), preset_id=preset_id)

    async def all(self, preset_type: str | None = None) -> list[Preset]:
        """Every preset that the principal may see, or those of one type, by name without regard to case."""
        wanted = [preset_readable(everything=self._everything)]
        if preset_type is not None:
            wanted.append(style_presets.c.type == check_choice(preset_type, PresetType, "type"))
        order = (sa.func.lower(style_presets.c.name), style_presets.c.created_at, style_presets.c.preset_id)
        return [_preset(row) for row in await self._all(sa.select(*_COLUMNS).where(*wanted).order_by(*order))]

    async def sync_defaults(self, presets: Mapping[str, str]) -> DefaultsSynced:
        """Make these, data by name, the default presets. A name keeps its id, so that servers may start at once.

        Raises `NotAllowed` or `InvalidInput`.
        """
        self._only_privileged("change the style presets that come with the studio")
        wanted = {
            str(uuid5(_DEFAULT_IDS, check_name(name, "name"))): (name, _check_data(data)) for name, data in presets.items()
        }
        contents = (style_presets.c.name, style_presets.c.preset_data)
        return await self._sync(
            style_presets.c.preset_id,
            _DEFAULT,
            contents,
            wanted,
            lambda preset_id: self._put_default(preset_id, *wanted[preset_id]),
        )

    async def _put_default(self, preset_id: str, name: str, preset_data: str) -> None:
        now = self._now()
        insert = self._insert_into(style_presets)
        taken_over = {column: insert.excluded[column] for column in ("name", "preset_data", "updated_at")}
        await self._insert(
            insert.on_conflict_do_update(index_elements=["preset_id"], set_=taken_over),
            preset_id=preset_id,
            user_id=SYSTEM_USER_ID,
            type=PresetType.DEFAULT,
            name=name,
            preset_data=preset_data,
            created_at=now,
            updated_at=now,
        )

    def _changeable(self, preset_id: str) -> tuple[ColumnElement[bool], ...]:
        named = style_presets.c.preset_id == preset_id
        if self._everything:
            return (named,)
        # Somebody who was an administrator once may still own a default.
        return named, owned(style_presets, everything=False), sa.not_(_DEFAULT)


@cache
def _get(everything: bool) -> Select[Any]:
    wanted = style_presets.c.preset_id == sa.bindparam("preset_id")
    return sa.select(*_COLUMNS).where(wanted, preset_readable(everything=everything))


def _check_data(preset_data: str) -> str:
    if not isinstance(check_json(preset_data, "preset_data"), dict):
        raise InvalidInput("The data of a style preset is a JSON object.", field="preset_data")
    return preset_data


def _preset(row: Row[Any]) -> Preset:
    values = {name: getattr(row, name) for name in Preset.__slots__}
    return Preset(**values | {"type": PresetType(row.type)})
