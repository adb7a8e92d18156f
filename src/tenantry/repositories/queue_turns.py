"""When users were last served, as far as their items still tell: for queues that were not filled by claims of ours."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tenantry.database import Connection
from tenantry.database.tables.queue import ALL_QUEUES, queue_items, queue_turns

__all__ = ["remember_turns"]


async def remember_turns(connection: Connection) -> None:
    """Note for each user the latest start of an item, by queue and in all together; later ones that are known stay.

    InvokeAI's round-robin goes by these times (contract, section 4.9), so an import must not forget them.
    """
    insert = sqlite_insert if connection.dialect == "sqlite" else postgresql_insert
    for queue_id in (queue_items.c.queue_id, sa.literal(ALL_QUEUES)):
        last = (
            sa.select(queue_id.label("queue_id"), queue_items.c.user_id, sa.func.max(queue_items.c.started_at).label("last"))
            .where(queue_items.c.started_at.is_not(None))
            .group_by(queue_items.c.user_id, *([queue_id] if queue_id is queue_items.c.queue_id else []))
        )
        add = insert(queue_turns).from_select(["queue_id", "user_id", "started_at"], last)
        later = sa.case(
            (add.excluded.started_at > queue_turns.c.started_at, add.excluded.started_at), else_=queue_turns.c.started_at
        )
        key = [queue_turns.c.queue_id, queue_turns.c.user_id]
        await connection.execute(add.on_conflict_do_update(index_elements=key, set_={"started_at": later}))
