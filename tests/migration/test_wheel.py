"""What is released: the built wheel holds all that the program needs, and works far from the checkout."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked as pip would; the libraries that it needs are those of the test environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_upgrades_a_database_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """The migrations are in it and are found without the checkout."""
    upgraded = _run(installed, tmp_path, "-m", "tenantry", "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert (tmp_path / "tenantry.db").exists()
    where = _run(installed, tmp_path, "-c", "import tenantry; print(tenantry.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_the_wheel_brings_the_example_studio(installed: Path, tmp_path: Path) -> None:
    """Whoever installs the package alone can try it too."""
    demo = _run(installed, tmp_path, "-m", "tenantry", "demo", "--no-serve")
    assert demo.returncode == 0, demo.stderr
    assert any((tmp_path / "outputs" / "images").glob("*.png"))


def test_the_wheel_has_types_and_a_command(installed: Path) -> None:
    """Type checkers look for `py.typed`; the command is an entry point."""
    assert (installed / "tenantry" / "py.typed").exists()
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "tenantry = tenantry.cli:main" in entry_points.read_text()


def _run(site: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PYTHONPATH": str(site), "PATH": "", "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
