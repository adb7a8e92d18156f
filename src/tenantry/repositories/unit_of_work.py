"""One transaction for one principal, with every repository in reach."""

from functools import cached_property

from tenantry.database import Clock, Connection, Ids
from tenantry.repositories.account_links import AccountLinks
from tenantry.repositories.api_keys import ApiKeys
from tenantry.repositories.app_settings import AppSettings
from tenantry.repositories.audit import AuditTrail
from tenantry.repositories.base import Ground
from tenantry.repositories.board_viewers import BoardViewers
from tenantry.repositories.boards import Boards
from tenantry.repositories.client_state import ClientState
from tenantry.repositories.gallery import Gallery
from tenantry.repositories.login_attempts import LoginAttempts
from tenantry.repositories.media import MediaRepository
from tenantry.repositories.model_relationships import ModelRelationships
from tenantry.repositories.models import Models
from tenantry.repositories.outbox import Outbox
from tenantry.repositories.ownership import Ownership
from tenantry.repositories.presets import Presets
from tenantry.repositories.prompts import Prompts
from tenantry.repositories.search import SearchIndex
from tenantry.repositories.shares import Shares
from tenantry.repositories.users import UserRepository
from tenantry.repositories.workflows import Workflows
from tenantry.tenancy import Principal

__all__ = ["UnitOfWork"]


class UnitOfWork:
    """The repositories over one transaction; whoever opened it commits when its block ends, and only then.

    It is one task's, or one thread's: two that share it would share what either is raised to for a moment.
    """

    def __init__(self, connection: Connection, principal: Principal, clock: Clock, ids: Ids) -> None:
        self.ground = Ground(connection, principal, clock, ids)

    @property
    def principal(self) -> Principal:
        return self.ground.principal

    @cached_property
    def boards(self) -> Boards:
        return Boards(self.ground)

    @cached_property
    def shares(self) -> Shares:
        return Shares(self.ground)

    @cached_property
    def board_viewers(self) -> BoardViewers:
        return BoardViewers(self.ground)

    @cached_property
    def images(self) -> MediaRepository:
        return MediaRepository(self.ground, "image")

    @cached_property
    def videos(self) -> MediaRepository:
        return MediaRepository(self.ground, "video")

    @cached_property
    def gallery(self) -> Gallery:
        return Gallery(self.ground)

    @cached_property
    def search_index(self) -> SearchIndex:
        return SearchIndex(self.ground)

    @cached_property
    def workflows(self) -> Workflows:
        return Workflows(self.ground)

    @cached_property
    def presets(self) -> Presets:
        return Presets(self.ground)

    @cached_property
    def prompts(self) -> Prompts:
        return Prompts(self.ground)

    @cached_property
    def app_settings(self) -> AppSettings:
        return AppSettings(self.ground)

    @cached_property
    def client_state(self) -> ClientState:
        return ClientState(self.ground)

    @cached_property
    def models(self) -> Models:
        return Models(self.ground)

    @cached_property
    def model_relationships(self) -> ModelRelationships:
        return ModelRelationships(self.ground)

    @cached_property
    def users(self) -> UserRepository:
        return UserRepository(self.ground)

    @cached_property
    def account_links(self) -> AccountLinks:
        return AccountLinks(self.ground)

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.ground)

    @cached_property
    def audit(self) -> AuditTrail:
        return AuditTrail(self.ground)

    @cached_property
    def login_attempts(self) -> LoginAttempts:
        return LoginAttempts(self.ground)

    @cached_property
    def ownership(self) -> Ownership:
        return Ownership(self.ground)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.ground)
