"""Accounts: passwords, access tokens, and what becomes of users."""

from tenantry.accounts.accounts import Accounts, DataFate
from tenantry.accounts.api_keys import NewApiKey
from tenantry.accounts.ground import AccountRules, AccountsGround, DirectGround
from tenantry.accounts.linking import NewLink
from tenantry.accounts.passwords import Strength, feedback, strength, suggestion
from tenantry.accounts.tokens import Claims

__all__ = [
    "AccountRules",
    "Accounts",
    "AccountsGround",
    "Claims",
    "DataFate",
    "DirectGround",
    "NewApiKey",
    "NewLink",
    "Strength",
    "feedback",
    "strength",
    "suggestion",
]
