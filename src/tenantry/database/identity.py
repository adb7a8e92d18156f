"""Who a connection acts for, as far as the database must know it."""

from dataclasses import dataclass

__all__ = ["SERVICE_ROLE", "TENANT_ROLE", "Identity"]

TENANT_ROLE = "tenantry_tenant"
"""PostgreSQL role of a transaction that sees what one user may see."""

SERVICE_ROLE = "tenantry_service"
"""PostgreSQL role of a transaction of an administrator or of Tenantry itself."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user whose rows may be touched; `privileged` lifts the limit to that user."""

    user_id: str
    privileged: bool = False

    @property
    def role(self) -> str:
        return SERVICE_ROLE if self.privileged else TENANT_ROLE
