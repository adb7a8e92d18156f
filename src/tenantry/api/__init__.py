"""The HTTP server: routers, the shapes that go over the wire, and one table from errors to status codes."""

from tenantry.api.app import create_app

__all__ = ["create_app"]
