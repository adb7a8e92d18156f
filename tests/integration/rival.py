"""One of several processes that want the same thing: `python -m tests.integration.rival URL VERB WHOM`.

Says `ready`, waits for a line, tries, and says `done` or the code of the error.
"""

import asyncio
import sys

from tenantry import Studio, TenantryError
from tenantry.accounts import AccountRules
from tenantry.studio import connect


async def attempt(studio: Studio, verb: str, whom: str) -> str:
    """Become the first administrator with an address, demote, suspend or delete a user; answers what came of it."""
    accounts = studio.accounts
    try:
        if verb == "set-up":
            await accounts.register_first_administrator(whom, "Correct-Horse-9")
        elif verb == "demote":
            await accounts.set_admin(whom, False)
        elif verb == "suspend":
            await accounts.suspend(whom)
        else:
            await accounts.delete(whom, data="delete")
    except TenantryError as error:
        return error.code
    return "done"


async def _main(url: str, verb: str, whom: str) -> str:
    studio = await asyncio.to_thread(connect, url, migrate=False, account_rules=AccountRules(bcrypt_cost=4))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    outcome = await attempt(studio, verb, whom)
    await studio.aclose()
    return outcome


if __name__ == "__main__":
    print(asyncio.run(_main(*sys.argv[1:4])))
