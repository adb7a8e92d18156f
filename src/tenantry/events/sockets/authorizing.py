"""Whether those who are connected still may be, and with which rights: at once when an account changes, and now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from tenantry.accounts import Accounts
from tenantry.errors import AuthenticationFailed, TenantryError
from tenantry.events.sockets.connections import Connection, Connections
from tenantry.events.sockets.rules import SocketRules
from tenantry.tenancy import SYSTEM_USER_ID, Method, Principal, Scope

__all__ = ["Authorizing"]

_log = structlog.get_logger()

Disconnect = Callable[[str], Awaitable[None]]


class Authorizing:
    """Lets sockets in by their token, and looks at them again: a token that would not be let in now is sent away."""

    def __init__(self, accounts: Accounts, connections: Connections, rules: SocketRules, disconnect: Disconnect) -> None:
        self._accounts = accounts
        self._connections = connections
        self._rules = rules
        self._disconnect = disconnect
        self.reviews = 0
        """How often somebody was looked at again since the start; who is let in meanwhile may have lost rights already."""

    async def admit(self, token: str | None) -> Principal:
        """Whose token or API key it is, with the rights that they have now.

        Raises `AuthenticationFailed`, and `NotAllowed` for a key that may not read.
        """
        if not self._rules.multiuser:
            return Principal(SYSTEM_USER_ID, is_admin=True, method=Method.SINGLE_USER)
        if not token:
            raise AuthenticationFailed("Nobody is logged in.", remedy="Send the token as `auth.token`.")
        principal = await self._accounts.identify(token)
        principal.require(Scope.READ)
        return principal

    async def review_user(self, user_id: str) -> None:
        """Look at a user's sockets now."""
        self.reviews += 1
        await self.review(self._connections.of_user(user_id))

    async def sweep(self) -> None:
        """Look at all sockets again and again; changes that this process never hears of are seen here."""
        while True:
            await asyncio.sleep(self._rules.sweep)
            self.reviews += 1
            await self.review(self._connections)

    async def review(self, connections: Iterable[Connection]) -> None:
        """Look at these sockets now. A database that does not answer for one of them is not asked for the others."""
        owners: dict[str, Principal | None] = {}
        for connection in connections:
            if connection.token is None:
                continue
            try:
                if connection.token not in owners:
                    owners[connection.token] = await self._owner(connection.token)
            except Exception as error:
                _log.warning("rights cannot be read; administrators get their own events only", error=_reason(error))
                self._lapse(connections)
                return
            await self._apply(connection, owners[connection.token])

    async def _owner(self, token: str) -> Principal | None:
        # On SQLite the lookup waits for nothing, and there may be thousands.
        await asyncio.sleep(0)
        try:
            return await self._accounts.identify(token)
        except AuthenticationFailed:
            return None

    async def _apply(self, connection: Connection, principal: Principal | None) -> None:
        if principal is not None:
            self._change(connection, principal)
            return
        try:
            await self._disconnect(connection.sid)
        except Exception:
            # It is out of its rooms; the others are to be looked at too.
            _log.exception("a socket could not be closed")

    def _lapse(self, connections: Iterable[Connection]) -> None:
        """Nobody knows now who is an administrator, so nobody is."""
        for connection in connections:
            if connection.token is not None:
                self._change(connection, replace(connection.principal, is_admin=False))

    def _change(self, connection: Connection, principal: Principal) -> None:
        if connection.principal != principal:
            connection.principal = principal
            self._connections.place(connection)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, TenantryError) else repr(error)
