"""A message as bytes: a line that says the format, who sent it and what it is, and for a `Transient` a line of JSON."""

import json

from tenantry.events.bus.port import Advanced, Message, Transient

__all__ = ["LONGEST", "decode", "encode", "sender"]

LONGEST = 8 * 1024 * 1024
"""Bytes of a message at most; there is room for a picture of 5 MB, as base64."""

_FORMAT = "tenantry1"


def encode(message: Message, origin: str) -> bytes:
    """Write a message; `origin` is a word that names the sending bus. Raises `ValueError` for what it cannot carry."""
    if isinstance(message, Advanced):
        return f"{_FORMAT} {origin} advanced".encode()
    content = {"name": message.name, "user_id": message.user_id, "payload": dict(message.payload)}
    try:
        text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError("this payload cannot be written as JSON") from error
    data = f"{_FORMAT} {origin} transient\n{text}".encode()
    if len(data) > LONGEST:
        raise ValueError(f"this message is longer than {LONGEST} bytes")
    return data


def sender(data: bytes) -> str | None:
    """The origin of a message, without reading the rest; None where it is none of ours."""
    words = data[:200].partition(b"\n")[0].split(b" ")
    return words[1].decode(errors="replace") if len(words) == 3 and words[0] == _FORMAT.encode() else None


def decode(data: bytes) -> Message:
    """Read a message. Raises `ValueError` for anything that `encode` would not have written."""
    head, _, text = data.partition(b"\n")
    words = head.split(b" ")
    if len(data) > LONGEST or len(words) != 3 or words[0] != _FORMAT.encode():
        raise ValueError("not a message of this format")
    match words[2], text:
        case b"advanced", b"":
            return Advanced()
        case b"transient", _:
            return _transient(text)
    raise ValueError("a message of an unknown kind")


def _transient(text: bytes) -> Transient:
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    match content:
        case {"name": str(name), "user_id": str(user_id), "payload": dict(payload)}:
            return Transient(name, user_id, payload)
    raise ValueError("something is missing or of the wrong type")
