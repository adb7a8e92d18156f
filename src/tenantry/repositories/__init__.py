"""Tenant-scoped repositories, one file an aggregate, and the unit of work that holds them together."""

from tenantry.repositories.base import Ground, Repository
from tenantry.repositories.boards import Board, Boards
from tenantry.repositories.pages import Page, Slice
from tenantry.repositories.shares import Share, Shares
from tenantry.repositories.unit_of_work import UnitOfWork

__all__ = ["Board", "Boards", "Ground", "Page", "Repository", "Share", "Shares", "Slice", "UnitOfWork"]
