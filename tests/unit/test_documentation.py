"""What the documentation shows is true: its example runs, its links lead somewhere, and no setting or command is left out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.alembic.roles import roles_sql
from tenantry.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    """As it stands, in an empty folder."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Foxes belongs to ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository."""
    targets = re.findall(r"\]\(([^)#]+)", page.read_text())
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_every_setting_is_documented() -> None:
    """The table for administrators has a row for each variable, and no other."""
    documented = set(re.findall(r"^\| `(TENANTRY_\w+)`", (ROOT / "docs" / "administrators.md").read_text(), re.MULTILINE))
    assert documented == {f"TENANTRY_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("page", ["README.md", "docs/administrators.md"])
def test_the_statements_for_postgresql_are_those_of_the_program(page: str) -> None:
    """What `tenantry db upgrade` would print is what the page says."""
    text = " ".join((ROOT / page).read_text().split())
    for statement in roles_sql("tenantry").split(";"):
        assert statement.strip() in text


def test_every_decision_is_numbered_and_in_the_index() -> None:
    """In order, without a gap, under the title that the page has."""
    folder = ROOT / "docs" / "decisions"
    pages = sorted(page for page in folder.glob("*.md") if page.name != "README.md")
    titles = [page.read_text().partition("\n")[0].removeprefix("# ") for page in pages]
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert all(title.startswith(f"{page.name[:4]}: ") for title, page in zip(titles, pages, strict=True))
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == [(title, page.name) for title, page in zip(titles, pages, strict=True)]


def test_the_example_handler_is_one() -> None:
    """It is found as its page says, and runs."""
    from tenantry.cli.worker import load_handler

    assert load_handler("examples.worker:name_nodes").__doc__
