"""What an API key may be used for; it never allows more than its user may do."""

from enum import StrEnum

__all__ = ["Scope"]


class Scope(StrEnum):
    """Each allows one thing and implies no other."""

    READ = "read"
    """See what its user sees, and hear of it."""

    QUEUE = "queue"
    """Put jobs into the queue, and cancel, retry and delete them."""

    LIBRARY = "library"
    """Change boards, images, videos, workflows, presets and prompts."""

    ADMIN = "admin"
    """Act as an administrator, where its user is one; without it a key acts as any user's."""
