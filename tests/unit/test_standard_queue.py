"""The package has a part called `queue`; the standard library's must stay what everybody else gets."""

import asyncio
import queue
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import tenantry
import tenantry.queue

ROOT = Path(__file__).parents[2]
PACKAGE = Path(tenantry.__file__).parent
STANDARD = Path(sysconfig.get_paths()["stdlib"]) / "queue.py"


def test_the_standard_queue_is_what_this_process_has() -> None:
    """Both modules live side by side."""
    assert Path(queue.__file__).samefile(STANDARD)
    assert tenantry.queue.__file__ is not None
    assert Path(tenantry.queue.__file__).parent == PACKAGE / "queue"


async def test_threads_of_the_event_loop_work() -> None:
    """`asyncio.to_thread` is built on the standard queue."""
    assert await asyncio.to_thread(lambda: 7) == 7


@pytest.mark.parametrize("folder", [ROOT, ROOT / "src", ROOT / "tests"])
def test_the_standard_queue_is_found_from_every_folder_of_the_checkout(folder: Path) -> None:
    """Python looks in the folder that it is started in first."""
    script = "import queue, asyncio; print(queue.__file__); assert asyncio.run(asyncio.to_thread(lambda: 7)) == 7"
    found = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).samefile(STANDARD)


def test_code_inside_the_package_gets_the_standard_queue() -> None:
    """Imports are absolute, also in the neighbours of the package's own `queue`."""
    script = "import tenantry.database.sqlite, tenantry.queue, queue; print(queue.SimpleQueue)"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "_queue.SimpleQueue" in found.stdout


def test_pytest_starts_as_a_module_from_the_root() -> None:
    """`python -m pytest` puts the root first on the path."""
    started = subprocess.run(
        [sys.executable, "-m", "pytest", "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stderr


def test_no_folder_of_the_root_hides_a_standard_module() -> None:
    """Folders called `queue` or `alembic` in the root would be found before the real ones."""
    assert not [name for name in ("queue", "alembic", "events") if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()]
