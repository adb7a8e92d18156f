"""Links to accounts over the wire."""

from datetime import datetime

from pydantic import BaseModel, Field, SecretStr

from tenantry.accounts import NewLink
from tenantry.api.shapes.common import moment
from tenantry.repositories.account_links import AccountLink

__all__ = ["InvitationRequest", "LinkDTO", "NewLinkDTO", "RedeemRequest"]


class LinkDTO(BaseModel):
    """A link that nobody has used yet, without what is secret in it."""

    link_id: str
    user_id: str | None = Field(None, description="Whose password it gives anew.")
    email: str | None = Field(None, description="Whom it invites.")
    is_admin: bool = Field(False, description="Whether it makes an administrator.")
    created_at: datetime = Field(description="UTC.")
    expires_at: datetime

    @classmethod
    def of(cls, link: AccountLink) -> "LinkDTO":
        return cls(
            link_id=link.link_id,
            user_id=link.user_id,
            email=link.email,
            is_admin=link.is_admin,
            created_at=moment(link.created_at),
            expires_at=moment(link.expires_at),
        )


class NewLinkDTO(LinkDTO):
    """A link that was made just now."""

    secret: str = Field(description="What whoever uses the link sends. It is not shown again.")

    @classmethod
    def made(cls, made: NewLink) -> "NewLinkDTO":
        return cls(**LinkDTO.of(made.link).model_dump(), secret=made.secret)


class InvitationRequest(BaseModel):
    """Somebody who is wanted."""

    email: str = Field(max_length=320)
    is_admin: bool = False
    days: float = Field(7.0, gt=0, le=365, description="How long the link is good.")


class RedeemRequest(BaseModel):
    """What somebody makes of a link."""

    secret: SecretStr = Field(max_length=200)
    password: SecretStr = Field(max_length=1_000)
    display_name: str | None = Field(None, max_length=300, description="For an invitation.")
