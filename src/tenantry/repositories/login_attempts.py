"""Logins that failed, by account and by network address, and how long to wait after them.

An attempt counts as failed from its beginning until it succeeds, so that many at once are no way around the wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from tenantry.database import timestamp
from tenantry.database.clock import seconds_between
from tenantry.database.tables import login_attempts
from tenantry.repositories.base import among
from tenantry.repositories.privileged import PrivilegedWrites

__all__ = ["FORGOTTEN_AFTER", "LoginAttempts", "Subject"]

FORGOTTEN_AFTER = timedelta(days=1)
"""Failures count for so long after the last one."""

_DOING = "judge logins"
_NO_WAIT = ""
_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """What attempts are counted for; with the `free`th failure in a row a wait begins."""

    name: str
    free: int


class LoginAttempts(PrivilegedWrites):
    """Who tried and failed; all of it is Tenantry's own."""

    __slots__ = ()

    async def wait(self, subjects: Sequence[Subject]) -> float:
        """Seconds until somebody may try who is all of these; 0 for at once."""
        self._only_privileged(_DOING)
        names = among(self._connection.dialect, login_attempts.c.subject, [subject.name for subject in subjects])
        return self._longest(await self._all(sa.select(login_attempts.c.blocked_until).where(names)))

    async def begin(self, subjects: Sequence[Subject], longest: timedelta) -> float:
        """Count an attempt as failed, with the wait that then follows: a second, doubled each time, up to the longest.

        Answers the seconds to wait in place of that where the attempt comes too early; 0 where it may go on. All callers
        name kinds of subjects in the same order, so that none waits for another in a circle.
        """
        self._only_privileged(_DOING)
        rows = [await self._held(subject.name) for subject in subjects]
        wait = self._longest(rows)
        if not wait:
            for subject, row in zip(subjects, rows, strict=True):
                await self._count(subject, self._remembered(row) + 1, longest)
        return wait

    async def succeed(self, account: Subject, others: Sequence[Subject]) -> None:
        """Forget the failures of an account, and take back what `begin` counted for the others."""
        self._only_privileged(_DOING)
        await self.lift([account])
        fewer = {"failures": login_attempts.c.failures - 1, "blocked_until": _NO_WAIT}
        for other in others:
            counted = (login_attempts.c.subject == other.name, login_attempts.c.failures > 0)
            await self._do(sa.update(login_attempts).where(*counted).values(fewer))

    async def lift(self, subjects: Sequence[Subject]) -> int:
        """Forget all failures of these; answers of how many there were any."""
        self._only_privileged(_DOING)
        # One after the other, in the callers' order, like `begin`.
        gone = [await self._do(sa.delete(login_attempts).where(login_attempts.c.subject == each.name)) for each in subjects]
        return sum(gone)

    async def prune(self, before: datetime, most: int) -> int:
        """Delete up to `most` subjects whose last attempt was before a moment; answers how many."""
        self._only_privileged(_DOING)
        old = sa.select(login_attempts.c.subject).where(login_attempts.c.updated_at < timestamp(before)).limit(most)
        # What somebody tries at this moment is not old.
        old = old.with_for_update(skip_locked=True)
        return await self._do(sa.delete(login_attempts).where(login_attempts.c.subject.in_(old)))

    async def _held(self, name: str) -> Row[Any]:
        """The row of a subject, which nobody else changes until the transaction ends."""
        fresh = {"subject": name, "failures": 0, "blocked_until": _NO_WAIT, "updated_at": self._now()}
        insert = self._insert_into(login_attempts).values(fresh)
        # Changes nothing, but locks the row that is there.
        held = insert.on_conflict_do_update(index_elements=["subject"], set_={"subject": insert.excluded.subject})
        row = await self._one(held.returning(*login_attempts.c))
        assert row is not None
        return row

    def _longest(self, rows: Sequence[Row[Any]]) -> float:
        now = self._now()
        return max((seconds_between(now, row.blocked_until) for row in rows if row.blocked_until), default=0.0)

    def _remembered(self, row: Row[Any]) -> int:
        forgotten = row.updated_at < timestamp(self._ground.clock() - FORGOTTEN_AFTER)
        return 0 if forgotten else int(row.failures)

    async def _count(self, subject: Subject, failures: int, longest: timedelta) -> None:
        now = self._ground.clock()
        beyond = failures - subject.free
        wait = min(timedelta(seconds=2 ** min(beyond, _DOUBLINGS)), longest) if beyond >= 0 else timedelta()
        values = {
            "failures": failures,
            "blocked_until": timestamp(now + wait) if wait else _NO_WAIT,
            "updated_at": timestamp(now),
        }
        await self._do(sa.update(login_attempts).where(login_attempts.c.subject == subject.name).values(values))
