"""The first schema's index for substring search in the metadata of images and videos."""

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

__all__ = ["create_text_index", "drop_text_index"]


def create_text_index(connection: sa.Connection) -> None:
    """Create the index that the database offers.

    SQLite: FTS5 over substrings of three; it keeps no text of its own and is filled in the background, because keeping it up
    to date within a save costs milliseconds. PostgreSQL: a trigram index, which defers its work by itself; where the
    extension may not be created, searches walk the lists instead.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE media_text USING fts5(metadata, content='', tokenize='trigram', detail='none', columnsize=0)"
        )
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        return
    connection.exec_driver_sql("CREATE INDEX media_text_trigrams ON media USING gin (lower(metadata) gin_trgm_ops)")


def drop_text_index(connection: sa.Connection) -> None:
    """Drop the index; PostgreSQL's goes with its table."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE media_text")
