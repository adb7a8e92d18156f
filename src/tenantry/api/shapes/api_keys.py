"""API keys over the wire."""

from datetime import datetime

from pydantic import BaseModel, Field

from tenantry.accounts import NewApiKey
from tenantry.api.shapes.common import moment
from tenantry.repositories import ApiKey
from tenantry.tenancy import Scope

__all__ = ["ApiKeyDTO", "ApiKeyPage", "ApiKeyRequest", "NewApiKeyDTO"]


class ApiKeyDTO(BaseModel):
    """A key, without the secret."""

    key_id: str
    user_id: str
    name: str
    prefix: str = Field(description="How the key begins.")
    scopes: list[Scope]
    created_at: datetime = Field(description="UTC.")
    expires_at: datetime | None = Field(None, description="Null: it is good until it is deleted.")
    last_used_at: datetime | None = Field(None, description="To the minute.")

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyDTO":
        return cls(
            key_id=key.key_id,
            user_id=key.user_id,
            name=key.name,
            prefix=key.prefix,
            scopes=sorted(key.scopes),
            created_at=moment(key.created_at),
            expires_at=moment(key.expires_at) if key.expires_at else None,
            last_used_at=moment(key.last_used_at) if key.last_used_at else None,
        )


class ApiKeyPage(BaseModel):
    """A part of a list of keys, newest first."""

    items: list[ApiKeyDTO]
    next_cursor: str | None = Field(description="Gives the next part; null at the end.")


class ApiKeyRequest(BaseModel):
    """A key that is wanted."""

    name: str = Field(max_length=300, description="What it is for.")
    scopes: list[Scope] = Field(max_length=len(Scope), description="What it may be used for.")
    days: float | None = Field(90.0, gt=0, le=3_650, description="How long it is good; null: until it is deleted.")


class NewApiKeyDTO(ApiKeyDTO):
    """A key that was made just now."""

    secret: str = Field(description="The key itself, for the header `Authorization: Bearer`. It is not shown again.")

    @classmethod
    def made(cls, made: NewApiKey) -> "NewApiKeyDTO":
        return cls(**ApiKeyDTO.of(made.key).model_dump(), secret=made.secret)
