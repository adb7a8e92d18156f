"""The folder of image and video files: where each one is."""

import os
from dataclasses import dataclass
from pathlib import Path

from tenantry.api.provenance import png_texts, sidecar_texts
from tenantry.errors import NotFound
from tenantry.repositories import MediaItem
from tenantry.repositories.ownership import MediaFile

__all__ = ["MediaFiles"]


@dataclass(frozen=True, slots=True)
class MediaFiles:
    """Files as InvokeAI lays them out: `images/[subfolder/]name`, thumbnails as `images/thumbnails/[subfolder/]stem.webp`,
    videos likewise below `videos`, and what is known about a video as `videos/sidecars/[subfolder/]stem.json`.

    Names and subfolders come from the database, which may have been imported from anywhere; so no path is used that leads,
    through dots or links, out of the folder of its kind.
    """

    outputs: Path

    def full(self, item: MediaItem) -> Path:
        """The file itself. Raises `NotFound` where there is none."""
        return _existing(self._folder(item), item.subfolder, item.name)

    def thumbnail(self, item: MediaItem) -> Path:
        """Its small picture. Raises `NotFound` where there is none."""
        return _existing(self._folder(item) / "thumbnails", item.subfolder, _stem(item.name) + ".webp")

    def made_from(self, item: MediaItem) -> tuple[str | None, str | None]:
        """The workflow and the graph that were saved with the file, as JSON text. Raises `NotFound` without an image's file.

        What is known about a video lies beside it; where nothing does, nothing is known, as in InvokeAI.
        """
        texts = png_texts(self.full(item)) if item.kind == "image" else self._sidecar(item)
        return texts.get("invokeai_workflow"), texts.get("invokeai_graph")

    def delete(self, item: MediaItem | MediaFile) -> None:
        """Delete file, thumbnail and what is beside a video; missing ones are no error. Raises OSError."""
        folder, stem = self._folder(item), _stem(item.name)
        names = [(folder, item.name), (folder / "thumbnails", f"{stem}.webp")]
        if item.kind == "video":
            names.append((folder / "sidecars", f"{stem}.json"))
        for place, name in names:
            path = _inside(place, item.subfolder, name)
            if path is not None:
                path.unlink(missing_ok=True)

    def _sidecar(self, item: MediaItem) -> dict[str, str]:
        path = _inside(self._folder(item) / "sidecars", item.subfolder, f"{_stem(item.name)}.json")
        return {} if path is None else sidecar_texts(path)

    def _folder(self, item: MediaItem | MediaFile) -> Path:
        return self.outputs / f"{item.kind}s"


def _existing(folder: Path, subfolder: str, name: str) -> Path:
    try:
        path = _inside(folder, subfolder, name)
        if path is not None and path.is_file():
            return path
    except OSError:
        # Such as a name that is longer than the file system has them.
        pass
    raise NotFound("file")


def _inside(folder: Path, subfolder: str, name: str) -> Path | None:
    """The resolved path, unless it is outside of the folder or its name is not a plain one."""
    if name in {"", ".", ".."} or os.path.basename(name) != name or "\0" in name + subfolder:
        return None
    root = folder.resolve()
    path = (root / subfolder / name).resolve()
    return path if path.is_relative_to(root) else None


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]
