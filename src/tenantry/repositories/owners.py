"""Whose rows are whose: every column that names a user, read from the schema so that none is forgotten."""

from functools import cache

import sqlalchemy as sa

from tenantry.database.tables import (
    account_links,
    api_keys,
    board_shares,
    client_state,
    events,
    metadata,
    queue_counts,
    queue_items,
    queue_limits,
    queue_turns,
    queue_usage,
    users,
)

__all__ = ["owned_tables", "owner_columns", "unhandled_columns"]

_OF_THEIR_OWN = (client_state.c.user_id, board_shares.c.user_id, board_shares.c.owner_id)
"""Columns that `Ownership` treats each in its own way."""

_FOLLOWING = (queue_items.c.user_id,)
"""Columns that follow another row's owner by their foreign key: items their batch."""

_GONE_WITH_THE_USER = tuple(
    table.c.user_id for table in (account_links, api_keys, queue_counts, queue_turns, queue_limits, queue_usage)
)
"""Columns of what is the user's alone, or noted about them; it goes with the user by the foreign key."""

_TOLD_TO_THE_END = (events.c.user_id,)
"""Columns of what is told of a user, the last of it after they are gone; the rest goes with them."""


@cache
def owner_columns() -> tuple[sa.Column[str], ...]:
    """Every column of the schema that names a user, through a foreign key or by its name."""
    return tuple(
        column
        for table in metadata.sorted_tables
        if table is not users
        for column in table.c
        if column.name in ("user_id", "owner_id") or column.references(users.c.user_id)
    )


@cache
def owned_tables() -> tuple[sa.Table, ...]:
    """Tables whose rows belong to one user and can be given to another by changing `user_id`; children come first."""
    plain = [column.table for column in owner_columns() if _is_plain(column)]
    return tuple(table for table in reversed(metadata.sorted_tables) if table in plain)


def unhandled_columns() -> list[str]:
    """Columns that name a user and that nobody takes care of when the user is deleted; a test keeps this empty."""
    known = [column for column in owner_columns() if _is_plain(column)]
    known += [*_OF_THEIR_OWN, *_FOLLOWING, *_GONE_WITH_THE_USER, *_TOLD_TO_THE_END]
    return [str(column) for column in owner_columns() if not any(column is each for each in known)]


def _is_plain(column: sa.Column[str]) -> bool:
    """Whether the row is its owner's, outlives nobody and is not named after them."""
    keys = [key for key in column.foreign_keys if key.column is users.c.user_id]
    return column.name == "user_id" and not column.primary_key and bool(keys) and all(key.ondelete is None for key in keys)
