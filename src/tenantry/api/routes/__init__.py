"""The routes, one module for each part of the API; a new part is added to `ROUTERS`."""

from fastapi import APIRouter

from tenantry.api.routes import (
    admin_audit,
    admin_keys,
    admin_logins,
    api_keys,
    auth,
    board_images,
    boards,
    client_state,
    gallery,
    image_changes,
    image_files,
    images,
    queue_batches,
    queue_bulk,
    queue_items,
    queue_lists,
    queue_oversight,
    queue_status,
    queue_steering,
    queue_workers,
    shares,
    style_presets,
    system_prompts,
    users,
    videos,
    virtual_boards,
    workflow_records,
    workflows,
)

__all__ = ["ROUTERS", "TAGS"]

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    api_keys.router,
    users.router,
    admin_audit.router,
    admin_keys.router,
    admin_logins.router,
    boards.router,
    shares.router,
    board_images.router,
    # Fixed addresses come before `images/i/{image_name}` and its kind.
    images.router,
    image_changes.router,
    image_files.router,
    videos.router,
    gallery.router,
    virtual_boards.router,
    workflows.router,
    workflow_records.router,
    style_presets.router,
    system_prompts.router,
    client_state.router,
    queue_batches.router,
    queue_lists.router,
    queue_items.router,
    queue_bulk.router,
    queue_status.router,
    queue_oversight.router,
    queue_steering.router,
    queue_workers.router,
)
"""All routers of `/api/v1`."""

TAGS = [
    {"name": "authentication", "description": "Logging in, and who one is."},
    {"name": "api_keys", "description": "Keys by which a user's programs prove themselves."},
    {"name": "administration", "description": "Accounts, for administrators."},
    {"name": "boards", "description": "Boards, what is on them, and with whom they are shared."},
    {"name": "images", "description": "Images: lists, files, stars, deletion."},
    {"name": "videos", "description": "Videos, like images."},
    {"name": "gallery", "description": "Images and videos as one stream."},
    {"name": "virtual_boards", "description": "What was made on each day."},
    {"name": "workflows", "description": "The workflow library."},
    {"name": "style_presets", "description": "Prompt templates."},
    {"name": "system_prompts", "description": "Prompts for language models."},
    {"name": "client_state", "description": "What a user's clients keep on the server."},
    {"name": "queue", "description": "What is to be made: batches, their items, and how they go."},
    {"name": "administration", "description": "Everybody's items, limits, and workers; for administrators."},
    {"name": "server", "description": "The server itself."},
]
"""The parts of the API in the order in which its description shows them."""
