"""Database URLs: what is understood, and what is refused with a remedy."""

from pathlib import Path

import pytest

from tenantry.database import parse_url
from tenantry.errors import InvalidDatabaseURL


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"])
def test_a_sqlite_url_names_a_file_whatever_its_driver(scheme: str) -> None:
    """The driver is Tenantry's choice."""
    url = parse_url(f"{scheme}:////var/studio.db")
    assert (url.dialect, url.path) == ("sqlite", Path("/var/studio.db"))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_a_postgresql_url_names_a_database_whatever_its_driver(scheme: str) -> None:
    """Also the short scheme that hosting services hand out."""
    url = parse_url(f"{scheme}://ana:secret@db.example.com:5433/studio")
    assert url.dialect == "postgresql"
    assert url.driven_by("postgresql+asyncpg").database == "studio"


def test_a_shown_url_has_no_password() -> None:
    """It is printed and logged."""
    assert "secret" not in parse_url("postgresql://ana:secret@db.example.com/studio").shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "studio.db",
        "mysql://ana@localhost/studio",
        "oracle://x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "postgresql://ana@localhost",
        "postgresql://ana@localhost:port/studio",
        "://",
    ],
)
def test_what_cannot_be_a_database_is_refused(text: str) -> None:
    """The error names the field and says what to write instead, and repeats no password."""
    with pytest.raises(InvalidDatabaseURL) as caught:
        parse_url(text)
    assert caught.value.field == "database"
    assert caught.value.remedy is not None
    assert "sqlite:///" in caught.value.remedy


@pytest.mark.parametrize("options", ["ssl=require", "connect_timeout=5&sslmode=require", "sslmode=perhaps"])
def test_an_option_that_a_driver_would_not_understand_is_refused(options: str) -> None:
    """Not only when the first request comes."""
    with pytest.raises(InvalidDatabaseURL, match="option") as caught:
        parse_url(f"postgresql://ana:secret@db.example.com/studio?{options}")
    assert "sslmode" in str(caught.value) or "verify-full" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_each_driver_is_told_about_encryption_in_its_own_words() -> None:
    """Whoever copies a URL from a hosting service gets what it says in both modes."""
    url = parse_url("postgres://ana@db.example.com/studio?sslmode=require")
    assert dict(url.driven_by("postgresql+psycopg").query) == {"sslmode": "require"}
    assert dict(url.driven_by("postgresql+asyncpg").query) == {"ssl": "require"}
