"""Accounts over the wire."""

from datetime import datetime

from pydantic import BaseModel, Field, SecretStr

from tenantry.api.shapes.common import moment
from tenantry.repositories.users import User

__all__ = [
    "LoginRequest",
    "LoginResponse",
    "SetupRequest",
    "SetupResponse",
    "SetupStatus",
    "Success",
    "UserDTO",
]


class UserDTO(BaseModel):
    """A user as they and administrators see them."""

    user_id: str
    email: str
    display_name: str | None = None
    is_admin: bool = False
    is_active: bool = True
    created_at: datetime = Field(description="UTC.")
    updated_at: datetime
    last_login_at: datetime | None = None
    token_epoch: int = Field(0, description="Grows when all tokens of the user end at once.")

    @classmethod
    def of(cls, user: User) -> "UserDTO":
        return cls(
            user_id=user.user_id,
            email=user.email or "",
            display_name=user.display_name,
            is_admin=user.is_admin,
            is_active=user.is_active,
            created_at=moment(user.created_at),
            updated_at=moment(user.updated_at),
            last_login_at=moment(user.last_login_at) if user.last_login_at else None,
            token_epoch=user.token_epoch,
        )


class LoginRequest(BaseModel):
    """Who wants to log in."""

    email: str = Field(max_length=320)
    password: SecretStr = Field(max_length=1_000)
    remember_me: bool = Field(False, description="Whether the token lives longer.")


class LoginResponse(BaseModel):
    """The token that goes into the header `Authorization: Bearer TOKEN`."""

    token: str
    user: UserDTO
    expires_in: int = Field(description="Seconds.")


class SetupRequest(BaseModel):
    """The first administrator."""

    email: str = Field(max_length=320)
    display_name: str | None = Field(None, max_length=300)
    password: SecretStr = Field(max_length=1_000)


class SetupResponse(BaseModel):
    """The first administrator was created."""

    success: bool = True
    user: UserDTO


class SetupStatus(BaseModel):
    """What a client must know before anybody is logged in."""

    setup_required: bool = Field(description="Whether there is no administrator yet.")
    multiuser_enabled: bool
    strict_password_checking: bool
    admin_email: str | None = Field(None, description="Always null; kept for InvokeAI's clients.")


class Success(BaseModel):
    """It is done."""

    success: bool = True
