"""Accounts over the wire."""

from datetime import datetime

from pydantic import BaseModel, Field, SecretStr, model_validator

from tenantry.accounts import Strength
from tenantry.api.shapes.common import moment
from tenantry.repositories.users import User

__all__ = [
    "LoginRequest",
    "LoginResponse",
    "NewUserRequest",
    "PasswordFeedback",
    "PasswordRequest",
    "ProfileChanges",
    "SetupRequest",
    "SetupResponse",
    "SetupStatus",
    "Success",
    "SuggestedPassword",
    "UserChanges",
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


class ProfileChanges(BaseModel):
    """What somebody changes of their own account; what is left out stays."""

    display_name: str | None = Field(None, max_length=300)
    current_password: SecretStr | None = Field(None, max_length=1_000)
    new_password: SecretStr | None = Field(None, max_length=1_000)
    keep_api_keys: bool = Field(False, description="Whether a new password leaves one's API keys alone.")

    @model_validator(mode="after")
    def _proved(self) -> "ProfileChanges":
        if self.new_password is not None and self.current_password is None:
            raise ValueError("a new password takes the current one")
        return self


class NewUserRequest(BaseModel):
    """A user who is wanted."""

    email: str = Field(max_length=320)
    display_name: str | None = Field(None, max_length=300)
    password: SecretStr = Field(max_length=1_000)
    is_admin: bool = False


class UserChanges(BaseModel):
    """What an administrator changes of a user; what is left out stays."""

    email: str | None = Field(None, max_length=320)
    display_name: str | None = Field(None, max_length=300)
    password: SecretStr | None = Field(None, max_length=1_000)
    is_admin: bool | None = None
    is_active: bool | None = None


class PasswordRequest(BaseModel):
    """A password to judge."""

    password: SecretStr = Field(max_length=1_000)


class PasswordFeedback(BaseModel):
    """How good a password is."""

    strength: Strength
    accepted: bool = Field(description="Whether this studio takes it.")
    wanted: list[str] = Field(description="What would make it strong, such as `a digit`.")


class SuggestedPassword(BaseModel):
    """A strong password."""

    password: str


class Success(BaseModel):
    """It is done."""

    success: bool = True
