"""What of a unit of work goes into the audit trail, noted where it is done, so that no caller can forget it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AuditAction", "Detail", "Note"]

Detail = Mapping[str, str | int | bool | list[str]]
"""Ids, names of things and numbers; never a token, a password, or what somebody wrote."""


class AuditAction(StrEnum):
    """Everything that is audited: how people got in or did not, and what became of accounts."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_REFUSED = "login_refused"
    """The password was right, and the user is deactivated."""

    LOGINS_ENDED = "logins_ended"
    WAIT_LIFTED = "wait_lifted"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_CHANGE_FAILED = "password_change_failed"  # noqa: S105
    """The current password was wrong."""

    RESET_OFFERED = "reset_offered"
    """A link was made by which the user chooses a new password."""

    INVITED = "invited"
    """A link was made by which somebody makes an account for themselves."""

    LINK_DELETED = "link_deleted"
    KEY_CREATED = "key_created"
    KEY_DELETED = "key_deleted"
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_SUSPENDED = "user_suspended"
    USER_ACTIVATED = "user_activated"
    ADMIN_GRANTED = "admin_granted"
    ADMIN_REVOKED = "admin_revoked"
    USER_DELETED = "user_deleted"
    DATA_DELETED = "data_deleted"
    DATA_GIVEN = "data_given"
    """All that was a user's is another's now."""


@dataclass(frozen=True, slots=True)
class Note:
    """One entry to be: what was done, and to which user."""

    action: AuditAction
    subject_id: str | None
    detail: Detail
