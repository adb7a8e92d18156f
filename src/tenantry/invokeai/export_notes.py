"""What InvokeAI's database cannot hold, or holds otherwise, in words."""

import sqlalchemy as sa

from tenantry.database import Connection
from tenantry.database.tables import board_shares, boards, media, users

__all__ = ["export_notes"]


async def export_notes(connection: Connection, file: sa.Connection) -> tuple[str, ...]:
    """A sentence for each thing that somebody should know; none when the file says all that the studio says."""
    counted = [
        (
            sa.select(sa.func.count()).where(board_shares.c.permission == "admin"),
            "shares let somebody manage a board; in InvokeAI they let them edit it",
        ),
        (
            sa.select(sa.func.count()).where(boards.c.cover_media_id == media.c.media_id, media.c.kind == "video"),
            "boards have a video as their cover; in InvokeAI they have none",
        ),
        (
            sa.select(sa.func.count()).where(users.c.kind == "tombstone"),
            "former users are left out; what they owned keeps their ids",
        ),
    ]
    notes = []
    for query, meaning in counted:
        number = await connection.fetch_value(query)
        if number:
            notes.append(f"{number} {meaning}.")
    dangling = {row[0] for row in file.exec_driver_sql("PRAGMA foreign_key_check")}
    if dangling:
        notes.append(f"Rows of {', '.join(sorted(dangling))} point at rows that are not there, as they did in InvokeAI.")
    return tuple(notes)
