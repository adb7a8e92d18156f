"""The users of an import, and what is kept for one user or for the installation alone."""

import sqlalchemy as sa

from tenantry.database import timestamp
from tenantry.database.tables import client_state, users
from tenantry.invokeai import mapping as maps
from tenantry.invokeai import schema as theirs
from tenantry.invokeai.bringing import Bringing, Resolve
from tenantry.invokeai.mapping import Row
from tenantry.invokeai.residue import ABSENT, Residue, keep_residue, row_key
from tenantry.repositories.base import among
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["bring_people"]


async def bring_people(bringing: Bringing) -> None:
    await bringing.bring(maps.USERS, resolve=_kinds(bringing), seeded=True)
    await _ensure_system(bringing)
    await bringing.bring(maps.APP_SETTINGS, seeded=True)
    await bringing.bring(maps.CLIENT_STATE, resolve=_given_away(bringing))


def _kinds(bringing: Bringing) -> Resolve:
    async def resolve(_: list[Row], rows: list[Row]) -> list[Row | None]:
        bringing.add_users([row["user_id"] for row in rows])
        return [{**row, "kind": "system" if row["user_id"] == SYSTEM_USER_ID else "person"} for row in rows]

    return resolve


def _given_away(bringing: Bringing) -> Resolve:
    """What the file keeps for `system` and a user has been given since is that user's; its key would not tell."""

    async def resolve(_: list[Row], rows: list[Row]) -> list[Row | None]:
        keys = list(dict.fromkeys(row["key"] for row in rows if row["user_id"] == SYSTEM_USER_ID))
        query = sa.select(client_state).where(among(bringing.connection.dialect, client_state.c.key, keys))
        found = await bringing.connection.fetch_all(query)
        # Who has the same in the file was given nothing.
        own = {(row["user_id"], row["key"]) for row in bringing.reader.matching(theirs.client_state, "key", keys)}
        holders = {(row.key, row.value, row.updated_at): row.user_id for row in found if (row.user_id, row.key) not in own}
        return [
            {**row, "user_id": holders.get((row["key"], row["value"], row["updated_at"]), SYSTEM_USER_ID)}
            if row["user_id"] == SYSTEM_USER_ID
            else row
            for row in rows
        ]

    return resolve


async def _ensure_system(bringing: Bringing) -> None:
    """A file whose `system` user was removed still has rows that belong to nobody else."""
    if bringing.reader.present(theirs.users.c.user_id, [SYSTEM_USER_ID]):
        return
    connection = bringing.connection
    if not bringing.knows_user(SYSTEM_USER_ID):
        now = timestamp(bringing.clock())
        await connection.execute(
            sa.insert(users).values(
                user_id=SYSTEM_USER_ID,
                email="system@system.invokeai",
                display_name="System",
                kind="system",
                created_at=now,
                updated_at=now,
            )
        )
        bringing.add_users([SYSTEM_USER_ID])
        bringing.added[users.name] += 1
    marker = Residue(maps.USERS.name, row_key({"user_id": SYSTEM_USER_ID}, ("user_id",)), None, ABSENT)
    await keep_residue(connection, maps.USERS.name, [marker])
