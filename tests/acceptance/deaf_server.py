"""A server that never looks into the outbox by itself, `python -m tests.acceptance.deaf_server`.

What its clients get, somebody told it of.
"""

from functools import partial
from unittest.mock import patch

from tenantry.api.serve import run
from tenantry.events.relay import Relay
from tenantry.events.sockets import server
from tenantry.settings import Settings

if __name__ == "__main__":
    with patch.object(server, "Relay", partial(Relay, poll=3600.0)):
        run(Settings.read())
