"""The registry: a plan for every public method of every repository that a unit of work offers."""

import inspect
from functools import cached_property
from typing import get_type_hints

from tenantry.queue import UnitOfWork
from tests.integration.isolation import plans_accounts, plans_boards, plans_events, plans_library, plans_media, plans_queue
from tests.integration.isolation.plan_kinds import Plan

PLANS: dict[str, Plan] = {
    **plans_boards.PLANS,
    **plans_media.PLANS,
    **plans_library.PLANS,
    **plans_accounts.PLANS,
    **plans_queue.PLANS,
    **plans_events.PLANS,
}


def repositories() -> dict[str, type]:
    """Each repository of a unit of work by the name it is reached by."""
    return {
        name: get_type_hints(value.func)["return"]
        for offering in UnitOfWork.__mro__
        for name, value in vars(offering).items()
        if isinstance(value, cached_property)
    }


def methods() -> list[str]:
    """`repository.method` for everything that can be called, inherited methods included."""
    return sorted(
        f"{name}.{method}"
        for name, repository in repositories().items()
        for method, _ in inspect.getmembers(repository, callable)
        if not method.startswith("_")
    )
