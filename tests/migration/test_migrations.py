"""The schema is what the migrations build, in both directions, on both databases."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from tenantry.alembic.migrate import downgrade, drift, revisions, upgrade
from tenantry.database import DatabaseURL


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
