"""Who acts. Every unit of work has a principal; nothing in Tenantry takes an optional user id."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tenantry.database import Identity
from tenantry.errors import NotAllowed
from tenantry.tenancy.scopes import Scope

__all__ = ["SYSTEM_USER_ID", "InternalReason", "Method", "Principal", "internal_uses"]

SYSTEM_USER_ID = "system"
"""Owner of what a single-user installation left (contract, section 4.10)."""


class Method(StrEnum):
    """How a principal proved who it is."""

    TOKEN = "token"  # noqa: S105
    PASSWORD = "password"  # noqa: S105
    API_KEY = "api_key"
    LINK = "link"
    SINGLE_USER = "single_user"
    COMMAND_LINE = "command_line"
    LIBRARY = "library"
    INTERNAL = "internal"


class InternalReason(StrEnum):
    """Every reason for which Tenantry itself works across users; a test lists who uses which."""

    AUTHENTICATE = "look up an account before anybody is known"
    ADMINISTER_ACCOUNTS = "keep the rules that concern all accounts, such as the last administrator's"
    CHANGE_OWNER = "delete, transfer or keep a user's data, or assign what a single-user studio left"
    IMPORT = "bring in a database of InvokeAI"
    EXPORT = "write a database for InvokeAI"
    INDEX_SEARCH = "add rows to the text index in the background"
    MANAGE_SHARES = "let somebody whom the owner made a board's administrator manage its shares"
    TAKE_OFF_BOARD = "let a board's writer take somebody else's item off it"
    READ_QUEUE = "show how the queue goes, with what is not the reader's replaced inside the database"
    KEEP_QUEUE = "keep the queue's counts, turns and limits, which concern everybody, while a user changes what is theirs"
    WORK = "give out the queue's items to workers, and hear what became of them"
    RECORD_EVENTS = "store what a unit of work has changed, for those whom it concerns"
    DELIVER = "read stored events, and what they tell of, to hand each user what is theirs to know"
    KEEP_KEYS = "store and delete the API keys of a user who asks for it"
    RECORD_AUDIT = "store who did what to an account, with what they did"
    OPERATE = "run, inspect and repair the installation"


internal_uses: Counter[InternalReason] = Counter()
"""How often each reason was used since the process started."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who acts, or Tenantry itself for a stated reason.

    `scopes` is what the API key `key_id` may be used for; None where no key limits the user. `address` is the network address
    from which they act, and `asked_by` who asked Tenantry for what it does itself; both are for the audit trail alone.
    """

    user_id: str
    is_admin: bool = False
    method: Method = Method.LIBRARY
    reason: InternalReason | None = None
    scopes: frozenset[Scope] | None = None
    key_id: str | None = None
    address: str | None = field(default=None, compare=False)
    asked_by: "Principal | None" = field(default=None, compare=False)

    @classmethod
    def internal(
        cls, reason: InternalReason, *, asked_by: "Principal | None" = None, address: str | None = None
    ) -> "Principal":
        """Tenantry itself, across users; not the `system` user, who is a user like others."""
        internal_uses[reason] += 1
        return cls(SYSTEM_USER_ID, method=Method.INTERNAL, reason=reason, asked_by=asked_by, address=address)

    @property
    def is_internal(self) -> bool:
        return self.reason is not None

    @property
    def sees_everything(self) -> bool:
        """Administrators and Tenantry itself are not limited to what one user may see."""
        return self.is_admin or self.reason is not None

    def require(self, scope: Scope) -> None:
        """Raise `NotAllowed` for an API key that lacks a scope."""
        if self.scopes is not None and scope not in self.scopes:
            raise NotAllowed(
                f"This API key may not be used for this: it lacks the scope {scope.value}.", remedy="Use another key."
            )

    @property
    def identity(self) -> Identity:
        """What the database is told about the principal."""
        return Identity(self.user_id, self.sees_everything)
