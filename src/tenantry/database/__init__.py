"""Tables, engines, and the transactions that a unit of work stands on."""

from tenantry.database.clock import Clock, Ids, new_id, timestamp, utc_now
from tenantry.database.connection import Connection, Parameters, Query, run
from tenantry.database.identity import SERVICE_ROLE, TENANT_ROLE, Identity
from tenantry.database.postgresql import PostgreSQLDatabase
from tenantry.database.sqlite import SQLiteDatabase, Synchronous
from tenantry.database.url import DatabaseURL, Dialect, parse_url

__all__ = [
    "SERVICE_ROLE",
    "TENANT_ROLE",
    "Clock",
    "Connection",
    "Database",
    "DatabaseURL",
    "Dialect",
    "Identity",
    "Ids",
    "Parameters",
    "PostgreSQLDatabase",
    "Query",
    "SQLiteDatabase",
    "Synchronous",
    "new_id",
    "parse_url",
    "run",
    "timestamp",
    "utc_now",
]

Database = SQLiteDatabase | PostgreSQLDatabase
"""Either database; both offer `reading`, `writing`, `direct_reading`, `direct_writing`, `close` and `aclose`."""
