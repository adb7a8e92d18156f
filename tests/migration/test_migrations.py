"""The schema is what the migrations build, in both directions, on both databases."""

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from tenantry.alembic.migrate import connected, downgrade, drift, revisions, upgrade
from tenantry.database import DatabaseURL
from tenantry.database.tables import metadata


def test_there_is_a_single_head() -> None:
    """Two branches of migrations would leave it open which schema is the newest."""
    config = Config()
    config.set_main_option("script_location", "tenantry:alembic")
    config.set_main_option("path_separator", "os")
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_empty_to_head_to_base_to_head(empty_database_url: DatabaseURL) -> None:
    """A database can be built, taken down to nothing, and built again."""
    assert revisions(empty_database_url).current is None
    upgrade(empty_database_url)
    assert revisions(empty_database_url).up_to_date
    downgrade(empty_database_url, "base")
    assert revisions(empty_database_url).current is None
    upgrade(empty_database_url)
    assert revisions(empty_database_url).up_to_date


def test_migrations_build_exactly_the_tables_that_the_program_knows(database_url: DatabaseURL) -> None:
    """Comparing the database with the metadata finds no difference."""
    assert drift(database_url) == []


@pytest.mark.sqlite
def test_indexes_are_built_with_their_directions_and_conditions(sqlite_url: DatabaseURL) -> None:
    """The comparison of schemas looks at neither."""
    with connected(sqlite_url) as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        found = {name: " ".join(sql.split()) for name, sql in rows}
        dialect = connection.dialect
    for table in metadata.sorted_tables:
        for index in table.indexes:
            assert found[str(index.name)] == str(sa.schema.CreateIndex(index).compile(dialect=dialect))
