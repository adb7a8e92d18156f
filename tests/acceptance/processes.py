"""A server, workers and other commands in processes of their own, as one types them."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import httpx

from tests.acceptance.conftest import PASSWORD
from tests.waiting import until

__all__ = ["Processes"]

ROOT = Path(__file__).parents[2]


class Processes:
    """Starts processes with these variables and no others of Tenantry's; ends them with its block."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "COLUMNS": "200",
            "NOTES": str(folder / "notes"),
            "GATE": str(folder / "gate"),
            "TENANTRY_BCRYPT_COST": "4",
            **{f"TENANTRY_{name.upper()}": value for name, value in variables.items()},
        }
        self._stack = ExitStack()

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def start(self, *words: str, said: str, stdin: str = "", **variables: str) -> subprocess.Popen[bytes]:
        """`python -m` with these words; what it says goes into the file `said`."""
        with (self._folder / said).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                env=self._environment | variables,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(_end, process)
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        return process

    def said(self, name: str) -> str:
        return (self._folder / name).read_text()

    def serve(self, *words: str) -> str:
        """Start a server, by default `tenantry serve`; the address that it says it is at."""
        process = self.start(*(words or ("tenantry", "serve")), said="server", TENANTRY_PORT="0")
        until(lambda: "/docs" in self.said("server") or process.poll() is not None, every=0.01)
        assert process.poll() is None, self.said("server")
        return next(word for word in self.said("server").split() if word.startswith("http")).rstrip("/")

    def open_gate(self) -> None:
        """Let the handlers go on that wait for it."""
        (self._folder / "gate").touch()


def log_in(url: str, email: str) -> str:
    """A token from a server."""
    answer = httpx.post(f"{url}/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    token: str = answer.json()["token"]
    return token


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
