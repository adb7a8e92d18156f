"""The real server, in a process of its own, on a file of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

SERVE = "from tenantry.api.serve import run; from tenantry.settings import Settings; run(Settings.read())"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running server over an empty file, and its address, which it printed itself."""
    environment = {"TENANTRY_DATABASE": f"sqlite:///{tmp_path / 'studio.db'}", "TENANTRY_PORT": "0", "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process, _address(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_it_serves_until_it_is_told_to_stop(server: tuple[subprocess.Popen[str], str]) -> None:
    """Setting up, logging in, looking around; and an orderly end."""
    process, address = server
    with httpx.Client(base_url=address) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        root = {"email": "root@example.com", "password": "Correct-Horse-9"}
        assert client.post("/api/v1/auth/setup", json=root).status_code == 200
        token = client.post("/api/v1/auth/login", json=root).json()["token"]
        boards = client.get("/api/v1/boards/?all=true", headers={"Authorization": f"Bearer {token}"})
        assert (boards.status_code, boards.json()) == (200, [])
        assert "server" not in boards.headers
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_a_port_in_use_is_named(server: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    """And nothing is made at the second database."""
    port = server[1].rpartition(":")[2]
    environment = {"TENANTRY_DATABASE": f"sqlite:///{tmp_path / 'second.db'}", "TENANTRY_PORT": port}
    second = subprocess.run([sys.executable, "-c", SERVE], env=environment, capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert "TENANTRY_PORT" in second.stderr
    assert not (tmp_path / "second.db").exists()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "studio" in line and "http" in line:
            return line.split()[-1].rstrip("/")
    raise AssertionError("The server ended before it answered.")
