"""Tenant-scoped repositories, one file an aggregate, and the unit of work that holds them together."""

from tenantry.repositories.api_keys import ApiKey, ApiKeys
from tenantry.repositories.app_settings import AppSettings
from tenantry.repositories.base import Ground, Repository
from tenantry.repositories.boards import Board, Boards
from tenantry.repositories.client_state import ClientState
from tenantry.repositories.defaults import DefaultsSynced
from tenantry.repositories.gallery import Gallery
from tenantry.repositories.media import MediaRepository
from tenantry.repositories.media_values import UNCATEGORIZED, BoardSummary, GalleryDate, MediaItem, MediaNames, MediaQuery
from tenantry.repositories.model_relationships import ModelRelationships
from tenantry.repositories.models import Model, Models
from tenantry.repositories.ownership import MediaFile, Ownership, RowsMoved, RowsRemoved
from tenantry.repositories.pages import Page, Slice
from tenantry.repositories.presets import Preset, Presets, PresetType
from tenantry.repositories.prompts import Prompt, Prompts
from tenantry.repositories.shares import Share, Shares
from tenantry.repositories.unit_of_work import UnitOfWork
from tenantry.repositories.users import User, UserKind, UserRepository
from tenantry.repositories.workflow_documents import WorkflowCategory
from tenantry.repositories.workflow_lists import WorkflowQuery, WorkflowSummary
from tenantry.repositories.workflows import Workflow, Workflows

__all__ = [
    "UNCATEGORIZED",
    "ApiKey",
    "ApiKeys",
    "AppSettings",
    "Board",
    "BoardSummary",
    "Boards",
    "ClientState",
    "DefaultsSynced",
    "Gallery",
    "GalleryDate",
    "Ground",
    "MediaFile",
    "MediaItem",
    "MediaNames",
    "MediaQuery",
    "MediaRepository",
    "Model",
    "ModelRelationships",
    "Models",
    "Ownership",
    "Page",
    "Preset",
    "PresetType",
    "Presets",
    "Prompt",
    "Prompts",
    "Repository",
    "RowsMoved",
    "RowsRemoved",
    "Share",
    "Shares",
    "Slice",
    "UnitOfWork",
    "User",
    "UserKind",
    "UserRepository",
    "Workflow",
    "WorkflowCategory",
    "WorkflowQuery",
    "WorkflowSummary",
    "Workflows",
]
