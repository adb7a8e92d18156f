"""The schema's migrations, and how they are run from code."""

from tenantry.alembic.migrate import Revisions, check_schema, downgrade, drift, revisions, upgrade

__all__ = ["Revisions", "check_schema", "downgrade", "drift", "revisions", "upgrade"]
