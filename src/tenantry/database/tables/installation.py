"""What belongs to the installation itself."""

import sqlalchemy as sa

from tenantry.database.tables.columns import Bytewise, RowId, created_at, metadata, updated_at

__all__ = ["app_settings", "import_residue"]

app_settings = sa.Table(
    "app_settings",
    metadata,
    sa.Column("key", Bytewise, primary_key=True),
    sa.Column("value", Bytewise, nullable=False),
    created_at(),
    updated_at(),
)

import_residue = sa.Table(
    "import_residue",
    metadata,
    # What an import brought and the schema has no place for: whole rows of unused tables, and single values that were
    # mended (a NULL owner, say). Export puts everything back.
    sa.Column("residue_id", RowId, sa.Identity(), primary_key=True),
    sa.Column("source_table", Bytewise, nullable=False),
    # The source row's primary key as a JSON array.
    sa.Column("row_key", Bytewise, nullable=False),
    # NULL: `value` is the whole row as a JSON object, or `null` for a row that the source did not have. Else `value` is a
    # pair: that column's original value, and what an export would write without it; once that changes, it is left alone.
    sa.Column("column_name", Bytewise),
    sa.Column("value", Bytewise, nullable=False),
    sa.Index(None, "source_table", "row_key"),
)
