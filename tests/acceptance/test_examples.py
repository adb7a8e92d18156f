"""The examples run as their pages say."""

import asyncio
import re
from pathlib import Path

import pytest
from examples.follow_queue import follow

import tenantry
from tenantry.accounts import AccountRules
from tenantry.database import DatabaseURL
from tenantry.settings import Settings
from tests.acceptance.commands import address
from tests.acceptance.conftest import PASSWORD
from tests.acceptance.processes import Processes


async def test_a_batch_is_followed_until_it_is_done(
    database_url: DatabaseURL, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a server and a worker that one types the same way."""
    database = address(database_url)
    async with tenantry.open(database_url, account_rules=AccountRules.of(Settings(bcrypt_cost=4))) as studio:
        await studio.accounts.register("ana@example.com", PASSWORD)
    with Processes(tmp_path, database=database) as processes:
        url = await asyncio.to_thread(processes.serve)
        processes.start("tenantry", "worker", "examples.worker:name_nodes", said="worker")
        await asyncio.wait_for(follow("ana@example.com", PASSWORD, database, url), 20)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "done: 3 of 3 completed"
    assert lines[:-1]
    assert all(re.fullmatch(r"item [123](: \d+%, \w+ is done| is \w+)", line) for line in lines[:-1])
