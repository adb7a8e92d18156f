"""Where commands print."""

from rich.console import Console

__all__ = ["errors", "output"]

output = Console(highlight=False, soft_wrap=True)
"""Results. Lines are never broken, so that what is printed can be searched and copied."""

errors = Console(stderr=True, highlight=False)
"""Progress, and questions."""
