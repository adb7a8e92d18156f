"""Every error that Tenantry raises on purpose.

An error says what is wrong in words for the person who caused it, names the `field` it is about where there is one, and the
`remedy` where there is one. Messages never contain SQL, secrets, or whether something of another user's exists.
HTTP status codes are not decided here but in one table in `tenantry.api.problems`.
"""

from typing import ClassVar

__all__ = [
    "AuthenticationFailed",
    "Conflict",
    "CrossTenantRefused",
    "DatabaseBusy",
    "DatabaseReadOnly",
    "DatabaseUnavailable",
    "IllegalTransition",
    "ImportRefused",
    "IntegrityViolation",
    "InvalidBatch",
    "InvalidCursor",
    "InvalidDatabaseURL",
    "InvalidInput",
    "LastAdministrator",
    "LeaseLost",
    "LimitReached",
    "MigrationFailed",
    "NotADatabase",
    "NotAllowed",
    "NotFound",
    "ProtectedUser",
    "QueueFull",
    "SchemaOutdated",
    "SchemaTooNew",
    "ServerUnavailable",
    "TenantryError",
    "TransactionEnded",
    "UnsafeDatabaseRole",
    "WriterHeldByThisLoop",
]


_NAMED_BY = {"image": "image_name", "video": "video_name", "model": "key", "share": "user_id", "file": None}
"""What names a thing of a kind where it is not called after the kind."""


class TenantryError(Exception):
    """Something went wrong in Tenantry."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None, *, field: str | None = None, remedy: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().split("\n")[0]
        self.field = field
        self.remedy = remedy
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        mend = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{mend}"


class InvalidInput(TenantryError):
    """A value is not acceptable."""

    code = "invalid_input"


class InvalidCursor(InvalidInput):
    """This cursor does not belong to this list."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__(field="cursor", remedy="Start again without a cursor, and change no filter between two pages.")


class InvalidBatch(InvalidInput):
    """This batch cannot be queued."""

    code = "invalid_batch"


class NotFound(TenantryError):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"

    def __init__(self, kind: str, *, field: str | None = None) -> None:
        self.kind = kind
        named_by = field or _NAMED_BY.get(kind, f"{kind.replace(' ', '_')}_id")
        remedy = "Check how it is written; what you may not see is not found either."
        super().__init__(f"There is no such {kind}.", field=named_by, remedy=remedy)


class NotAllowed(TenantryError):
    """You may see this but not change it."""

    code = "not_allowed"


class Conflict(TenantryError):
    """This is already taken."""

    code = "conflict"


class LastAdministrator(Conflict):
    """At least one active administrator must remain."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__(remedy="Give another active user administrator rights first.")


class ProtectedUser(Conflict):
    """The built-in system user cannot be promoted, deactivated, deleted or given a password."""

    code = "protected_user"


class IllegalTransition(Conflict):
    """The item is not in a state in which this can be done to it."""

    code = "illegal_transition"

    def __init__(self, before: str, after: str) -> None:
        self.before = before
        self.after = after
        super().__init__(f"An item that is {before} cannot become {after}.", field="item_id")


class LeaseLost(Conflict):
    """The worker does not hold this item any more; what it did with it is discarded."""

    code = "lease_lost"

    def __init__(self, item_id: int) -> None:
        self.item_id = item_id
        super().__init__(field="item_id", remedy="Drop the result; the item was canceled, or is run again by somebody else.")


class LimitReached(TenantryError):
    """A limit of the queue is reached.

    `limit` names it, `allowed` is its number, and `retry_after` the seconds until this can succeed; None where only a smaller
    request can, or where it is not known.
    """

    code = "limit_reached"

    def __init__(
        self,
        limit: str,
        allowed: int,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        remedy: str | None = None,
    ) -> None:
        self.limit = limit
        self.allowed = allowed
        self.retry_after = retry_after
        super().__init__(message, field=limit, remedy=remedy)


class QueueFull(LimitReached):
    """The queue holds as many waiting items as it may."""

    code = "queue_full"


class AuthenticationFailed(TenantryError):
    """The e-mail address or the password is wrong."""

    code = "authentication_failed"

    def __init__(self, message: str | None = None, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message, field=field, remedy=remedy or "Check both, or ask an administrator for a new password.")


class CrossTenantRefused(TenantryError):
    """The database refused to link or move a row across users."""

    code = "cross_tenant_refused"


class IntegrityViolation(TenantryError):
    """The database refused the change because it would break a rule of the schema."""

    code = "integrity_violation"

    def __init__(self, constraint: str | None = None) -> None:
        self.constraint = constraint
        super().__init__()


class DatabaseUnavailable(TenantryError):
    """The database cannot be reached."""

    code = "database_unavailable"


class DatabaseBusy(DatabaseUnavailable):
    """Another process has held the database for longer than the busy timeout."""

    code = "database_busy"


class DatabaseReadOnly(DatabaseUnavailable):
    """The database can be read but not written."""

    code = "database_read_only"


class NotADatabase(DatabaseUnavailable):
    """The file is not a SQLite database."""

    code = "not_a_database"


class InvalidDatabaseURL(InvalidInput):
    """The database URL cannot be used."""

    code = "invalid_database_url"


class UnsafeDatabaseRole(DatabaseUnavailable):
    """The PostgreSQL login bypasses row-level security."""

    code = "unsafe_database_role"


class SchemaOutdated(DatabaseUnavailable):
    """The database schema is older than this program."""

    code = "schema_outdated"


class SchemaTooNew(DatabaseUnavailable):
    """The database schema is newer than this program."""

    code = "schema_too_new"


class MigrationFailed(DatabaseUnavailable):
    """The database schema could not be migrated."""

    code = "migration_failed"


class ServerUnavailable(TenantryError):
    """The server cannot be reached."""

    code = "server_unavailable"


class ImportRefused(InvalidInput):
    """The file cannot be imported."""

    code = "import_refused"


class TransactionEnded(TenantryError):
    """This unit of work has ended."""

    code = "transaction_ended"


class WriterHeldByThisLoop(TenantryError):
    """A direct write would wait for a transaction of the event loop that it blocks."""

    code = "writer_held_by_this_loop"

    def __init__(self) -> None:
        super().__init__(remedy="Use the asynchronous unit of work here, or run the direct write in another thread.")
