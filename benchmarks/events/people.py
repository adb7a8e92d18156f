"""Users with tokens."""

from dataclasses import dataclass

from tenantry import Studio
from tenantry.accounts import AccountRules
from tenantry.tenancy import Principal

__all__ = ["CHEAP", "Person", "register"]

CHEAP = AccountRules(bcrypt_cost=4)
"""For passwords that protect nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user, and a token of theirs."""

    principal: Principal
    token: str


async def register(studio: Studio, number: int, *, is_admin: bool = False) -> Person:
    """A new user of a studio."""
    user = await studio.accounts.register(f"user-{number}@example.com", "Correct-Horse-9", is_admin=is_admin)
    return Person(Principal(user.user_id, is_admin=is_admin), await studio.accounts.issue(user))
