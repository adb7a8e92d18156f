"""Substrings and prefixes: ASCII letters without regard to case, every other character, `%` and `_` among them, as itself."""

import string

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenantry.database import Dialect
from tenantry.repositories.checks import check_text

__all__ = ["MAX_TERM", "contains", "folded", "starts_with"]

MAX_TERM = 200
"""Characters of a term that is searched for at most."""

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(term: str, field: str) -> str:
    """The term with its ASCII letters lowered. Raises `InvalidInput` for one that cannot be."""
    return check_text(term, field, most=MAX_TERM).translate(_ASCII_LOWER)


def contains(dialect: Dialect, column: ColumnElement[str], term: str) -> ColumnElement[bool]:
    """Whether a column contains a folded term; an empty term is in every text, no term is in NULL."""
    # lower() folds ASCII alone on both: SQLite's always does, PostgreSQL's does under the columns' collation C.
    place = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    return place(sa.func.lower(column), term) > 0


def starts_with(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Whether a column starts with a folded prefix."""
    return sa.func.substr(sa.func.lower(column), 1, len(prefix)) == prefix
