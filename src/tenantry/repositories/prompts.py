"""System prompts: instructions that users keep for the language models that expand their prompts."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select

from tenantry.database.tables import system_prompts
from tenantry.errors import InvalidInput, NotFound
from tenantry.repositories.base import Repository
from tenantry.repositories.checks import check_name, check_text
from tenantry.tenancy.visibility import owned, prompt_readable

__all__ = ["Prompt", "Prompts"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system prompt. Times are UTC text `YYYY-MM-DD HH:MM:SS.fff`."""

    prompt_id: str
    user_id: str
    is_public: bool
    name: str
    content: str
    created_at: str
    updated_at: str


_COLUMNS = tuple(system_prompts.c[name] for name in Prompt.__slots__)


class Prompts(Repository):
    """The prompts that a principal may see, and the changes that it may make to its own."""

    __slots__ = ()

    async def create(self, name: str, content: str, *, is_public: bool = False) -> Prompt:
        """Add a prompt of one's own. Raises `InvalidInput`."""
        now = self._now()
        prompt = Prompt(
            prompt_id=self._ground.ids(),
            user_id=self._me,
            is_public=is_public,
            name=check_name(name, "name"),
            content=_check_content(content),
            created_at=now,
            updated_at=now,
        )
        await self._insert(sa.insert(system_prompts), **{column: getattr(prompt, column) for column in Prompt.__slots__})
        return prompt

    async def get(self, prompt_id: str) -> Prompt:
        """One prompt. Raises `NotFound`."""
        row = await self._one(_get(self._everything), prompt_id=prompt_id)
        if row is None:
            raise NotFound("system prompt")
        return _prompt(row)

    async def update(
        self, prompt_id: str, *, name: str | None = None, content: str | None = None, is_public: bool | None = None
    ) -> Prompt:
        """Change what is given. Raises `InvalidInput`, `NotFound` or `NotAllowed`."""
        changes: dict[str, object] = {"updated_at": self._now()}
        if name is not None:
            changes["name"] = check_name(name, "name")
        if content is not None:
            changes["content"] = _check_content(content)
        if is_public is not None:
            changes["is_public"] = is_public
        change = sa.update(system_prompts).where(*self._changeable(prompt_id)).values(changes).returning(*_COLUMNS)
        row = await self._one(change)
        if row is None:
            raise await self._refuse("system prompt", _get(self._everything), prompt_id=prompt_id)
        return _prompt(row)

    async def delete(self, prompt_id: str) -> None:
        """Delete a prompt. Raises `NotFound` or `NotAllowed`."""
        if not await self._do(sa.delete(system_prompts).where(*self._changeable(prompt_id))):
            raise await self._refuse("system prompt", _get(self._everything), prompt_id=prompt_id)

    async def all(self) -> list[Prompt]:
        """Every prompt that the principal may see, by name without regard to case."""
        order = (sa.func.lower(system_prompts.c.name), system_prompts.c.created_at, system_prompts.c.prompt_id)
        query = sa.select(*_COLUMNS).where(prompt_readable(everything=self._everything)).order_by(*order)
        return [_prompt(row) for row in await self._all(query)]

    def _changeable(self, prompt_id: str) -> tuple[ColumnElement[bool], ...]:
        return system_prompts.c.prompt_id == prompt_id, owned(system_prompts, everything=self._everything)


@cache
def _get(everything: bool) -> Select[Any]:
    wanted = system_prompts.c.prompt_id == sa.bindparam("prompt_id")
    return sa.select(*_COLUMNS).where(wanted, prompt_readable(everything=everything))


def _check_content(content: str) -> str:
    if not content:
        raise InvalidInput("A system prompt must not be empty.", field="content", remedy="Write the prompt.")
    return check_text(content, "content")


def _prompt(row: Row[Any]) -> Prompt:
    return Prompt(**{name: getattr(row, name) for name in Prompt.__slots__})
