"""Alembic's entry: runs the migrations on the connection that `tenantry.alembic.migrate` hands over."""

from alembic import context

from tenantry.alembic.migrate import included
from tenantry.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    include_object=included,
    compare_type=True,
)
# The transaction is begun and ended outside, so that all steps and the checks after them are one.
context.run_migrations()
