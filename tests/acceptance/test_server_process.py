"""The real server, in a process of its own, over the example studio."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tenantry import connect
from tenantry.invokeai.importer import import_invokeai

DEMO = Path(__file__).parents[2] / "examples" / "studio-demo"
SERVE = "from tenantry.api.serve import run; from tenantry.settings import Settings; run(Settings.read())"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running server over the example studio, and its address, which it printed itself."""
    database = f"sqlite:///{tmp_path / 'studio.db'}"
    studio = connect(database)
    import_invokeai(DEMO / "studio-demo.db", studio)
    studio.close()
    environment = {
        "TENANTRY_DATABASE": database,
        "TENANTRY_OUTPUTS": str(DEMO / "outputs"),
        "TENANTRY_PORT": "0",
        "COLUMNS": "200",
    }
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
    """Ana logs in with the password that she had in InvokeAI and finds her pictures; and an orderly end."""
    process, address = server
    with httpx.Client(base_url=address) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        login = client.post("/api/v1/auth/login", json={"email": "ana@example.com", "password": "Correct-Horse-9"})
        client.headers["Authorization"] = f"Bearer {login.json()['token']}"
        boards = {board["board_name"]: board for board in client.get("/api/v1/boards/?all=true").json()}
        assert {"ana-private", "ana-shared", "bo-shared", "bo-public"} <= set(boards)
        assert "bo-private" not in boards
        cover = boards["ana-private"]["cover_image_name"]
        image = client.get(f"/api/v1/images/i/{cover}").json()
        for place in ("image_url", "thumbnail_url"):
            file = client.get(f"/{image[place]}")
            assert (file.status_code, file.headers["content-type"].partition("/")[0]) == (200, "image")
        assert client.get("/api/v1/workflows/").json()["total"] == 3
    with httpx.Client(base_url=address) as client:
        gone = client.post("/api/v1/auth/login", json={"email": "cy@example.com", "password": "Correct-Horse-9"})
        assert gone.status_code == 403
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
