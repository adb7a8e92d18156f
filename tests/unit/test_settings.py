"""Settings come from the environment or from code, and are checked when they are read."""

from pathlib import Path

import pytest

from tenantry.errors import InvalidInput
from tenantry.settings import Settings


def test_without_anything_set_a_file_here_is_served_to_this_machine() -> None:
    """A newcomer sets nothing."""
    settings = Settings.read()
    assert (settings.database, settings.host, settings.port) == ("sqlite:///./tenantry.db", "127.0.0.1", 9100)
    assert settings.outputs_folder == Path.cwd() / "outputs"
    assert settings.origins == []


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And None is not given."""
    monkeypatch.setenv("TENANTRY_PORT", "9200")
    monkeypatch.setenv("TENANTRY_HOST", "0.0.0.0")  # noqa: S104
    assert Settings.read(port=9300).port == 9300
    assert Settings.read(port=None).port == 9200
    assert Settings.read(port=None).host == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("BCRYPT_COST", "3"),
        ("SQLITE_SYNCHRONOUS", "OFF"),
        ("BUSY_TIMEOUT", "-1"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
    ],
)
def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """With the variable to correct."""
    monkeypatch.setenv(f"TENANTRY_{name}", value)
    with pytest.raises(InvalidInput) as caught:
        Settings.read()
    assert caught.value.field == name.lower()
    assert f"TENANTRY_{name}" in str(caught.value)


def test_trusted_proxies_are_addresses_and_networks() -> None:
    """None where nothing is said."""
    assert Settings.read().proxies == ()
    assert [str(network) for network in Settings.read(trusted_proxies="10.0.0.0/8, ::1").proxies] == ["10.0.0.0/8", "::1/128"]


def test_files_are_beside_the_database_file(tmp_path: Path) -> None:
    """Unless another folder is named; a PostgreSQL database has no place of its own."""
    assert Settings.read(database=f"sqlite:///{tmp_path}/studio.db").outputs_folder == tmp_path / "outputs"
    assert Settings.read(outputs=tmp_path).outputs_folder == tmp_path
    assert Settings.read(database="postgresql://ana:secret@db/studio").outputs_folder == Path.cwd() / "outputs"


def test_a_password_in_an_address_is_not_shown() -> None:
    """Settings end up in logs."""
    assert "secret" not in repr(Settings.read(database="postgresql://ana:secret@db/studio"))
    assert "secret" not in repr(Settings.read(bus="valkey://:secret@bus"))
