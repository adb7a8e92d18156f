"""Events of accounts."""

from tenantry.events.types.base import Audience, Event, Others

__all__ = ["AccountChanged", "AccountCreated", "AccountDeleted"]


class AccountCreated(Event, name="account_created", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """There is a new account."""

    user_id: str


class AccountChanged(Event, name="account_changed", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """A user's rights or password changed; servers look at the user's sockets at once."""

    user_id: str
    is_admin: bool
    is_active: bool


class AccountDeleted(Event, name="account_deleted", audience=Audience.OWNER_AND_ADMINS, others=Others.NOTHING):
    """An account is gone."""

    user_id: str
