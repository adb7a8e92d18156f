"""What a file says about how it was made: text chunks of a PNG file, and the JSON file beside a video."""

import json
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

__all__ = ["png_texts", "sidecar_texts"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_TEXT = 16 * 1024 * 1024


def png_texts(path: Path) -> dict[str, str]:
    """The text chunks by keyword; nothing for another or a broken file."""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return {}
        try:
            return _texts(file)
        except (struct.error, zlib.error, ValueError, IndexError):
            return {}


def sidecar_texts(path: Path) -> dict[str, str]:
    """The texts by name; nothing for a missing or broken file."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in document.items() if isinstance(value, str)} if isinstance(document, dict) else {}


def _texts(file: BinaryIO) -> dict[str, str]:
    texts: dict[str, str] = {}
    while head := file.read(8):
        length, kind = struct.unpack(">I4s", head)
        if kind not in _READERS or length > _MAX_TEXT:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        keyword, _, rest = file.read(length).partition(b"\0")
        texts[keyword.decode("latin-1")] = _READERS[kind](rest)
        file.seek(4, os.SEEK_CUR)
    return texts


def _compressed(rest: bytes) -> str:
    return _inflated(rest[1:]).decode("latin-1")


def _international(rest: bytes) -> str:
    # Flag and method of compression, language, translated keyword, text.
    _, _, text = rest[2:].split(b"\0", 2)
    return (_inflated(text) if rest[0] else text).decode("utf-8")


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MAX_TEXT)


_READERS = {b"tEXt": lambda rest: rest.decode("latin-1"), b"zTXt": _compressed, b"iTXt": _international}
