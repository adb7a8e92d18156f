"""The workflow library: lists, counts and tags."""

import math
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tenantry.api.caller import Caller, SignedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.common import Direction, NumberedPage
from tenantry.api.shapes.workflows import WorkflowListItem
from tenantry.repositories.pages import MAX_LIMIT
from tenantry.repositories.workflow_documents import WorkflowCategory
from tenantry.repositories.workflow_lists import WorkflowOrder, WorkflowQuery, WorkflowSummary

__all__ = ["router"]

router = APIRouter(prefix="/workflows", tags=["workflows"], responses=responses(HTTPStatus.UNAUTHORIZED))


def _filters(
    caller: SignedIn,
    categories: Annotated[list[WorkflowCategory] | None, Query(description="Only these categories.")] = None,
    is_public: Annotated[bool | None, Query(description="Only what everybody sees, or only what not.")] = None,
) -> WorkflowQuery:
    """Where one's own workflows are asked for, public ones of others are not, unless only they are asked for."""
    mine = not categories or WorkflowCategory.USER in categories
    scoped = mine and is_public is not True and not caller.is_admin
    return WorkflowQuery(
        categories=tuple(categories) if categories else None,
        is_public=is_public,
        owner_or_default=caller.user_id if scoped else None,
    )


Filters = Annotated[WorkflowQuery, Depends(_filters)]
Opened = Annotated[bool | None, Query(description="Only what was opened before, or only what not.")]


@router.get("/", operation_id="list_workflows", summary="List workflows")
async def list_workflows(
    caller: SignedIn,
    filters: Filters,
    page: Annotated[int, Query(ge=0, le=2**31)] = 0,
    per_page: Annotated[int | None, Query(ge=0, le=MAX_LIMIT, description="All of them if left out.")] = None,
    order_by: WorkflowOrder = "name",
    direction: Direction = Direction.ASCENDING,
    tags: Annotated[list[str] | None, Query(description="Only what has one of these tags.")] = None,
    query: Annotated[str | None, Query(description="Only what has this in its name, description or tags.")] = None,
    has_been_opened: Opened = None,
) -> NumberedPage[WorkflowListItem]:
    """One's own workflows and those that come with the studio; with `is_public`, what others show."""
    wanted = replace(
        filters,
        tags=tuple(tags) if tags else None,
        search=query,
        has_been_opened=has_been_opened,
        order_by=order_by,
        descending=direction is Direction.DESCENDING,
    )
    records, total = await _records(caller, wanted, page, per_page)
    items = [WorkflowListItem.of(record) for record in records]
    pages = math.ceil(total / per_page) if per_page else 1
    return NumberedPage(page=page, pages=pages, per_page=per_page or total, total=total, items=items)


@router.get("/tags", operation_id="get_all_tags", summary="List tags")
async def get_all_tags(caller: SignedIn, filters: Filters) -> list[str]:
    """Every tag of these workflows once, in alphabetical order."""
    async with caller.read() as work:
        return await work.workflows.all_tags(filters)


@router.get("/counts_by_tag", operation_id="get_counts_by_tag", summary="Count workflows by tag")
async def get_counts_by_tag(
    caller: SignedIn, filters: Filters, tags: Annotated[list[str], Query()], has_been_opened: Opened = None
) -> dict[str, int]:
    """For each of the tags, how many workflows have it."""
    async with caller.read() as work:
        return await work.workflows.counts_by_tag(tags, replace(filters, has_been_opened=has_been_opened))


@router.get("/counts_by_category", operation_id="counts_by_category", summary="Count workflows by category")
async def counts_by_category(
    caller: SignedIn,
    filters: Filters,
    categories: Annotated[list[WorkflowCategory], Query()],
    has_been_opened: Opened = None,
) -> dict[str, int]:
    """For each of the categories, how many workflows are in it."""
    async with caller.read() as work:
        return await work.workflows.counts_by_category(categories, replace(filters, has_been_opened=has_been_opened))


async def _records(caller: Caller, query: WorkflowQuery, page: int, per_page: int | None) -> tuple[list[WorkflowSummary], int]:
    async with caller.read() as work:
        if not per_page:
            everything = await work.workflows.all(query)
            return everything, len(everything)
        found = await work.workflows.page(query, offset=page * per_page, limit=per_page)
        return found.items, found.total
