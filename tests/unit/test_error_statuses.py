"""Which status an error has over HTTP, and which headers go with it."""

import pytest

from tenantry import errors
from tenantry.api.problems import headers_of, status_of
from tenantry.errors import TenantryError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.LimitReached("per_hour", 8, retry_after=90.2), 429),
        (errors.QueueFull("queue_max_pending", 8), 429),
        (errors.LeaseLost(1), 409),
        (errors.IllegalTransition("failed", "pending"), 409),
        (errors.InvalidBatch(field="graph"), 422),
        (errors.NotFound("queue item", field="item_id"), 404),
    ],
)
def test_an_error_of_the_queue_has_its_status(error: TenantryError, status: int) -> None:
    """In the one table."""
    assert status_of(error) == status


def test_a_limit_says_when_to_try_again() -> None:
    """In whole seconds, rounded up; not at all where it is not known."""
    assert headers_of(errors.LimitReached("per_hour", 8, retry_after=90.2)) == {"Retry-After": "91"}
    assert headers_of(errors.LimitReached("per_hour", 8)) == {}
    assert headers_of(errors.AuthenticationFailed()) == {"WWW-Authenticate": "Bearer"}
