"""What failed logins are counted for, and the error for who must wait.

Accounts are counted by what was typed, whether there is one or not, so that a wait tells nobody which ones there are.
"""

import hashlib
from ipaddress import IPv6Address, IPv6Network, ip_address

from tenantry.accounts.ground import AccountRules
from tenantry.errors import LimitReached
from tenantry.repositories.login_attempts import Subject

__all__ = ["account_subject", "address_subject", "too_early"]

_ACCOUNTS_OF_AN_ADDRESS = 5
"""An address may fail so many times as often as an account: a whole house may be behind it."""


def account_subject(email: str, rules: AccountRules) -> Subject:
    """An account; hashed, because people type their passwords into the wrong field."""
    typed = email.strip().lower().encode("utf-8", "surrogatepass")
    return Subject(f"account:{hashlib.sha256(typed).hexdigest()}", rules.login_attempts)


def address_subject(address: str, rules: AccountRules) -> Subject:
    """A network address; of IPv6 the network, since whoever has one of its addresses has them all."""
    return Subject(f"address:{_network(address)}", rules.login_attempts * _ACCOUNTS_OF_AN_ADDRESS)


def too_early(seconds: float, rules: AccountRules) -> LimitReached:
    """The same for every account and address, so that it tells nothing."""
    return LimitReached(
        "login_attempts",
        rules.login_attempts,
        "Too many logins have failed.",
        retry_after=seconds,
        remedy="Wait before the next one, or ask an administrator.",
    )


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
    return str(parsed)
