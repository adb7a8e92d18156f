"""Which column of InvokeAI's becomes which of ours. Import and export both follow this one description."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tenantry.database import tables as ours
from tenantry.invokeai import schema as theirs
from tenantry.invokeai.values import (
    FLAG,
    INTEGER,
    LARGE,
    OPTIONAL_INTEGER,
    OPTIONAL_LARGE,
    OPTIONAL_REAL,
    OPTIONAL_TEXT,
    REAL,
    TEXT,
    Value,
    choice,
)
from tenantry.tenancy import SYSTEM_USER_ID

__all__ = ["Field", "Mapping", "Row"]

Row = dict[str, Any]
"""A row as column name and value."""

_OWNER = Value(lambda value: SYSTEM_USER_ID if value is None else TEXT.bring(value))


@dataclass(frozen=True, slots=True)
class Field:
    """A column of theirs and the column of ours that holds it; `derived` ones are computed there and not written back."""

    theirs: str
    ours: str
    value: Value
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """A table of theirs and the table of ours that holds its rows.

    `key` are the primary keys' columns there; `lacking` the columns that we have no place for, with their usual value.
    """

    source: sa.Table
    target: sa.Table
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    constants: Row = field(default_factory=dict)
    lacking: Row = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def target_key(self) -> tuple[str, ...]:
        """Our columns that hold the key."""
        held = {each.theirs: each.ours for each in self.fields}
        return tuple(held[name] for name in self.key if name in held)

    def bring(self, row: Row) -> Row:
        """Our row for one of theirs."""
        return {**self.constants, **{each.ours: each.value.bring(row[each.theirs]) for each in self.fields}}

    def give(self, row: Row) -> Row:
        """Their row for one of ours, without what SQLite derives."""
        given = {each.theirs: each.value.give(row[each.ours]) for each in self.fields if not each.derived}
        return {**self.lacking, **given}


def _times() -> tuple[Field, Field]:
    return Field("created_at", "created_at", TEXT), Field("updated_at", "updated_at", TEXT)


def _owner() -> Field:
    return Field("user_id", "user_id", _OWNER)


def _derived(name: str, value: Value = TEXT) -> Field:
    return Field(name, name, value, derived=True)


def _same(value: Value, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, name, value) for name in names)


USERS = Mapping(
    theirs.users,
    ours.users,
    ("user_id",),
    (
        *_same(TEXT, "user_id", "email", "password_hash"),
        *_same(OPTIONAL_TEXT, "display_name", "last_login_at"),
        *_same(FLAG, "is_admin", "is_active"),
        *_same(INTEGER, "token_epoch"),
        *_times(),
    ),
)

BOARDS = Mapping(
    theirs.boards,
    ours.boards,
    ("board_id",),
    (
        *_same(TEXT, "board_id", "board_name"),
        Field("board_visibility", "visibility", choice("private", "shared", "public", otherwise="private")),
        *_same(FLAG, "archived"),
        _owner(),
        *_times(),
    ),
    lacking={"deleted_at": None, "is_public": 0},
)
"""Without the cover, which points at a row that is not there yet."""


def _media(source: sa.Table, kind: str, *more: Field) -> Mapping:
    return Mapping(
        source,
        ours.media,
        (f"{kind}_name",),
        (
            Field(f"{kind}_name", "name", TEXT),
            Field(f"{kind}_origin", "origin", TEXT),
            Field(f"{kind}_category", "category", TEXT),
            Field(f"{kind}_subfolder", "subfolder", TEXT),
            *_same(INTEGER, "width", "height"),
            *_same(OPTIONAL_TEXT, "session_id", "node_id", "metadata"),
            *_same(FLAG, "is_intermediate", "starred", "has_workflow"),
            _owner(),
            *_times(),
            *more,
        ),
        constants={"kind": kind},
        lacking={"deleted_at": None},
    )


IMAGES = _media(theirs.images, "image")
VIDEOS = _media(theirs.videos, "video", Field("duration", "duration", REAL), Field("fps", "fps", OPTIONAL_REAL))


def _membership(source: sa.Table, kind: str) -> Mapping:
    return Mapping(
        source,
        ours.media,
        (f"{kind}_name",),
        (
            Field(f"{kind}_name", "name", TEXT),
            Field("board_id", "board_id", TEXT),
            # One column for two: an item's being put on its board and its later changes mostly share their time.
            Field("updated_at", "boarded_at", TEXT),
            Field("created_at", "boarded_at", TEXT),
        ),
        lacking={"deleted_at": None},
    )


BOARD_IMAGES = _membership(theirs.board_images, "image")
BOARD_VIDEOS = _membership(theirs.board_videos, "video")

SHARED_BOARDS = Mapping(
    theirs.shared_boards,
    ours.board_shares,
    ("board_id", "user_id"),
    (
        *_same(TEXT, "board_id", "user_id", "shared_at"),
        Field(
            "can_edit",
            "permission",
            Value(lambda value: "write" if FLAG.bring(value) else "read", lambda level: int(level != "read")),
        ),
    ),
)

MODELS = Mapping(
    theirs.models,
    ours.models,
    ("id",),
    (
        Field("id", "model_key", TEXT),
        *_same(TEXT, "config"),
        *(_derived(name) for name in ("hash", "base", "type", "path", "format", "name", "source", "source_type")),
        _derived("description", OPTIONAL_TEXT),
        _derived("file_size", LARGE),
        *_times(),
    ),
)

MODEL_RELATIONSHIPS = Mapping(
    theirs.model_relationships,
    ours.model_relationships,
    ("model_key_1", "model_key_2"),
    _same(TEXT, "model_key_1", "model_key_2", "created_at"),
)

WORKFLOWS = Mapping(
    theirs.workflow_library,
    ours.workflows,
    ("workflow_id",),
    (
        *_same(TEXT, "workflow_id"),
        Field("workflow", "document", TEXT),
        *(_derived(name) for name in ("category", "name", "description")),
        _derived("tags", OPTIONAL_TEXT),
        *_same(OPTIONAL_TEXT, "opened_at"),
        *_same(FLAG, "is_public"),
        _owner(),
        *_times(),
    ),
)

STYLE_PRESETS = Mapping(
    theirs.style_presets,
    ours.style_presets,
    ("id",),
    (
        Field("id", "preset_id", TEXT),
        *_same(TEXT, "name", "preset_data", "type"),
        *_same(FLAG, "is_public"),
        _owner(),
        *_times(),
    ),
)

SYSTEM_PROMPTS = Mapping(
    theirs.system_prompts,
    ours.system_prompts,
    ("id",),
    (Field("id", "prompt_id", TEXT), *_same(TEXT, "name", "content"), *_same(FLAG, "is_public"), _owner(), *_times()),
)

CLIENT_STATE = Mapping(
    theirs.client_state, ours.client_state, ("user_id", "key"), (_owner(), *_same(TEXT, "key", "value", "updated_at"))
)

APP_SETTINGS = Mapping(theirs.app_settings, ours.app_settings, ("key",), (*_same(TEXT, "key", "value"), *_times()))

SESSION_QUEUE = Mapping(
    theirs.session_queue,
    ours.queue_items,
    ("item_id",),
    (
        *_same(LARGE, "item_id"),
        *_same(TEXT, "queue_id", "session_id", "session"),
        Field(
            "status",
            "status",
            choice("pending", "in_progress", "waiting", "completed", "failed", "canceled", otherwise="canceled"),
        ),
        *_same(INTEGER, "priority", "status_sequence"),
        *_same(OPTIONAL_INTEGER, "workflow_call_depth"),
        *_same(OPTIONAL_LARGE, "retried_from_item_id", "parent_item_id", "root_item_id"),
        *_same(OPTIONAL_TEXT, "field_values", "workflow", "device", "workflow_call_id"),
        *_same(OPTIONAL_TEXT, "parent_session_id", "error_type", "error_message", "error_traceback"),
        *_same(OPTIONAL_TEXT, "started_at", "completed_at"),
        _owner(),
        *_times(),
    ),
)
"""Without what the batch says."""

OF_BATCH = Mapping(
    theirs.session_queue, ours.batches, ("item_id",), (*_same(TEXT, "batch_id"), *_same(OPTIONAL_TEXT, "origin", "destination"))
)
"""What an item says of its batch."""

MOVE_JOBS = Mapping(
    theirs.move_jobs,
    ours.move_jobs,
    ("id",),
    (Field("id", "job_id", LARGE), *_same(TEXT, "state"), *_same(OPTIONAL_TEXT, "error_message"), *_times()),
)

MOVE_ITEMS = Mapping(
    theirs.move_items,
    ours.move_items,
    ("job_id", "image_name"),
    (
        *_same(LARGE, "job_id"),
        *_same(TEXT, "old_subfolder", "new_subfolder", "state"),
        *_same(FLAG, "is_intermediate"),
        *_same(OPTIONAL_TEXT, "old_path", "new_path", "old_thumbnail_path", "new_thumbnail_path", "error_message"),
    ),
)
"""Without the image, which we know by its number."""
