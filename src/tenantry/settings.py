"""Everything that can be set from outside, read from the environment once, at the edge, and passed down from there."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tenantry.errors import InvalidInput

__all__ = ["Network", "Settings"]

PREFIX = "TENANTRY_"

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """Settings of one process; each comes from `TENANTRY_<NAME>` where it is not given in code.

    Make it with `Settings.read`, which raises `InvalidInput` naming the variable that cannot be used.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", str_strip_whitespace=True)

    database: str = Field("sqlite:///./tenantry.db", repr=False)
    """Where everything is kept: a SQLite or PostgreSQL URL. It may hold a password, so it is never shown."""

    listen_database: str | None = Field(None, repr=False)
    """Where notifications of PostgreSQL are listened to, when `database` is a pooler that does not let LISTEN through."""

    bus: str | None = Field(None, repr=False)
    """Valkey or Redis server that carries events and previews between processes; left open, what the database can carry.

    It may hold a password, so it is never shown.
    """

    outputs: Path | None = None
    """Folder of the image and video files; left open, `outputs` beside a SQLite file, else in the working folder."""

    host: str = "127.0.0.1"
    port: int = Field(9100, ge=0, le=65535)
    """0 takes any free port."""

    multiuser: bool = True
    """Off: everybody is the `system` user, an administrator, and nobody logs in."""

    token: str | None = Field(None, repr=False)
    """A user's token, for commands that speak to a server as that user."""

    bcrypt_cost: int = Field(12, ge=4, le=18)
    token_days: float = Field(1.0, gt=0, le=365)
    remembered_token_days: float = Field(7.0, gt=0, le=365)
    """Lifetime of an access token, and of one for "remember me"."""

    strict_passwords: bool = True
    """Whether a weak password is refused."""

    login_attempts: int = Field(10, ge=1, le=1_000)
    """Failed logins in a row to one account before the next ones must wait; five times as many from one address."""

    login_max_wait: float = Field(900.0, ge=1, le=86_400)
    """Seconds that they wait at most; from one second on the wait doubles with each failure."""

    audit_days: float = Field(365.0, ge=1, le=36_500)
    """Days for which the audit trail is kept."""

    trusted_proxies: str = ""
    """Addresses or networks of proxies whose `X-Forwarded-For` is believed, separated by commas; none by default."""

    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """FULL: a commit survives a power loss; NORMAL: the last ones may not."""

    busy_timeout: float = Field(30.0, ge=0, le=3600)
    """Seconds that a write waits for another process to let go of a SQLite file."""

    allowed_origins: str = ""
    """Origins of other web pages that may call this server, separated by commas; none by default."""

    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1024)
    """Bytes of a request's body at most."""

    sockets_per_user: int = Field(50, ge=1, le=10_000)
    """Open event streams of one user at most, in each server process."""

    max_message_bytes: int = Field(65_536, ge=1024)
    """Bytes of one message from an event stream's client at most."""

    event_hours: float = Field(24.0, ge=0.1, le=8_760)
    """Hours for which events are kept, so that a client that was away can go on where it was."""

    metrics_token: SecretStr | None = Field(None, min_length=16)
    """With this as its bearer token a program may read `/metrics`; left open, only administrators may."""

    queue_max_pending: int = Field(10_000, ge=0)
    """Items that may wait in a queue at most; 0: any number. An administrator may set another for a queue."""

    queue_max_batch_items: int = Field(100_000, ge=1, le=1_000_000)
    """Items of one batch at most."""

    queue_max_document_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    """Bytes of a graph, a workflow or a session at most."""

    queue_max_attempts: int = Field(3, ge=1, le=100)
    """How often an item is given out at most whose worker is lost each time."""

    queue_lease: float = Field(30.0, ge=1, le=86_400)
    """Seconds that a worker holds its items after its last sign of life; it gives three in that time."""

    queue_backoff: float = Field(5.0, ge=0, le=600)
    """Seconds that an item waits after its worker was lost; doubled each time."""

    queue_order: Literal["fair", "round_robin", "fifo"] = "fair"
    """Whose item comes next: by turns and weights, by turns as in InvokeAI, or in the order of arrival."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    @classmethod
    def read(cls, **given: Any) -> "Settings":
        """Settings from the environment; what is `given` and not None comes first. Raises `InvalidInput`."""
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise InvalidInput(
                f"This setting cannot be used: {first['msg']}.", field=name, remedy=f"Correct {PREFIX}{name.upper()}."
            ) from None

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, text: str) -> str:
        _networks(text)
        return text

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of `trusted_proxies`."""
        return _networks(self.trusted_proxies)

    @property
    def origins(self) -> list[str]:
        return [origin.strip().rstrip("/") for origin in self.allowed_origins.split(",") if origin.strip()]

    @property
    def outputs_folder(self) -> Path:
        """The folder of image and video files, whether it exists or not."""
        if self.outputs is not None:
            return self.outputs.expanduser().absolute()
        try:
            url = make_url(self.database)
        except ArgumentError:
            return Path("outputs").absolute()
        file = url.database if url.get_backend_name() == "sqlite" else None
        return (Path(file).expanduser().absolute().parent if file else Path.cwd()) / "outputs"


def _networks(text: str) -> tuple[Network, ...]:
    """The addresses and networks in a list with commas between them. Raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
