"""Multi-tenant repositories, accounts and a fair queue for generation studios such as InvokeAI."""

from tenantry.database import run
from tenantry.errors import TenantryError
from tenantry.studio import DirectStudio, Studio, connect, open  # noqa: A004
from tenantry.tenancy import BoardVisibility, InternalReason, Method, Permission, Principal

__all__ = [
    "BoardVisibility",
    "DirectStudio",
    "InternalReason",
    "Method",
    "Permission",
    "Principal",
    "Studio",
    "TenantryError",
    "connect",
    "open",
    "run",
]
