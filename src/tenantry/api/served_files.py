"""How a file is sent: by a type that no browser runs, in ranges, and not again if the client has it."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse

from tenantry.errors import NotFound

__all__ = ["file_responses", "serve_file"]

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
# Kept by the browser, but asked for each time, since the right to see it may have ended.
_CACHE_CONTROL = "private, no-cache"


async def serve_file(request: Request, path: Path) -> Response:
    """The file as an answer. Raises `NotFound`."""
    try:
        status = await asyncio.to_thread(path.stat)
    except OSError:
        raise NotFound("file") from None
    headers = {"Cache-Control": _CACHE_CONTROL, "ETag": f'"{status.st_mtime_ns:x}-{status.st_size:x}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    media_type = _TYPES.get(path.suffix.lower())
    return FileResponse(
        path,
        media_type=media_type or "application/octet-stream",
        filename=path.name,
        content_disposition_type="inline" if media_type else "attachment",
        headers=headers,
        stat_result=status,
    )


def file_responses(media_type: str, *, ranges: bool = False) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that sends a file, for its OpenAPI description."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    described: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file.", "content": content},
        304: {"description": "The client has this file already."},
    }
    if ranges:
        described[206] = {"description": "A part of the file.", "content": content}
    return described
