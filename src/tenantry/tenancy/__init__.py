"""Principals and the rules of who may see and change what."""

from tenantry.tenancy.principal import SYSTEM_USER_ID, InternalReason, Method, Principal, internal_uses
from tenantry.tenancy.scopes import Scope
from tenantry.tenancy.visibility import BoardVisibility, Permission

__all__ = [
    "SYSTEM_USER_ID",
    "BoardVisibility",
    "InternalReason",
    "Method",
    "Permission",
    "Principal",
    "Scope",
    "internal_uses",
]
