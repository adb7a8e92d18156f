"""Device affinity: how many of a device's resident models an item uses (contract, section 4.9)."""

from collections.abc import Sequence

from tenantry.queue.sessions import Template

__all__ = ["MAX_KEYS", "WINDOW", "score", "shared_keys"]

MAX_KEYS = 50
WINDOW = 32
"""How far past the next item, in item ids, another may be taken, so that a cold one is put off a bounded number of times."""


def shared_keys(keys: Sequence[str], template: Template | None) -> frozenset[str]:
    """The model keys that stand in what all items of a batch share; looked for once a batch."""
    return frozenset() if template is None else frozenset(key for key in keys if key in template.unchanged_text)


def score(keys: Sequence[str], field_values: str | None, session: str | None, shared: frozenset[str]) -> int:
    """How many of the model keys stand in an item's session: a stored one, or what its batch shares and its own values."""
    if session is not None:
        return sum(key in session for key in keys)
    return sum(key in shared or key in (field_values or "") for key in keys)
