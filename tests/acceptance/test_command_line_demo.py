"""The newcomer's way in: `tenantry demo` as a process, from nothing to a user who sees what is theirs."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

LOGINS = {"root": "Correct-Horse-9", "ana": "Correct-Horse-9", "bo": "Another-Horse-8"}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server over the example studio in an empty folder, and the address that it printed."""
    command = [sys.executable, "-m", "tenantry", "demo", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = next(line.split()[-1].rstrip("/") for line in process.stdout if line.strip().startswith("studio"))
        yield process, address
    finally:
        process.kill()
        process.communicate()


def test_each_user_of_the_example_sees_what_is_theirs(demo: tuple[subprocess.Popen[str], str]) -> None:
    """The administrator sees everything, the others their own and what is shown to them; Ctrl-C ends it in order."""
    process, address = demo
    seen = {name: _boards(address, name, password) for name, password in LOGINS.items()}
    assert len(seen["root"]) == 9
    for name in ("ana", "bo"):
        own = {board["user_id"] for board in seen[name] if board["board_visibility"] == "private"}
        assert len(own) == 1
        assert len(seen[name]) < 9
    with httpx.Client(base_url=address) as anybody:
        assert anybody.get("/docs").status_code == 200
        refused = anybody.post("/api/v1/auth/login", json={"email": "cy@example.com", "password": "Correct-Horse-9"})
        assert refused.status_code == 403
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def _boards(address: str, name: str, password: str) -> list[dict[str, object]]:
    with httpx.Client(base_url=address) as client:
        login = client.post("/api/v1/auth/login", json={"email": f"{name}@example.com", "password": password})
        client.headers["Authorization"] = f"Bearer {login.json()['token']}"
        boards: list[dict[str, object]] = client.get("/api/v1/boards/", params={"all": True}).json()
        return boards
