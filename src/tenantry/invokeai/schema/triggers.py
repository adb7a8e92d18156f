"""The triggers by which InvokeAI's database keeps its times."""

from collections.abc import Iterator

from tenantry.invokeai.schema.columns import NOW

__all__ = ["trigger_statements"]

_SECONDS = "CURRENT_TIMESTAMP"


def trigger_statements() -> Iterator[str]:
    """One CREATE TRIGGER each. Run them after the rows are in, so that no time moves."""
    yield _touch("board_images", "tg_board_images_updated_at", "board_id = old.board_id AND image_name = old.image_name")
    # Unlike its sister this one follows a video that moves to another board.
    yield _touch("board_videos", "tg_board_videos_updated_at", "board_id = new.board_id AND video_name = old.video_name")
    yield _touch("boards", "tg_boards_updated_at", "board_id = old.board_id", now=_SECONDS)
    yield _touch("images", "tg_images_updated_at", "image_name = old.image_name")
    yield _touch("videos", "tg_videos_updated_at", "video_name = old.video_name")
    yield _touch("workflow_library", "tg_workflow_library_updated_at", "workflow_id = old.workflow_id")
    yield _touch("style_presets", "style_presets", "id = old.id")
    yield _touch("system_prompts", "tg_system_prompts_updated_at", "id = old.id")
    yield _touch("models", "models_updated_at", "id = old.id")
    yield _touch("users", "tg_users_updated_at", "user_id = old.user_id")
    yield _touch("client_state", "tg_client_state_updated_at", "user_id = old.user_id AND key = old.key", now=_SECONDS)
    yield _touch("app_settings", "tg_app_settings_updated_at", "key = old.key")
    yield _touch("image_subfolder_move_jobs", "tg_image_subfolder_move_jobs_updated_at", "id = old.id")
    yield _touch("session_queue", "tg_session_queue_updated_at", "item_id = old.item_id")
    yield _stamp("started_at", "new.status = 'in_progress'")
    yield _stamp("completed_at", "new.status IN ('completed', 'failed', 'canceled')")


def _touch(table: str, name: str, row: str, *, now: str = NOW) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW"  # noqa: S608 - every part is written above
        f" BEGIN UPDATE {table} SET updated_at = {now} WHERE {row}; END"
    )


def _stamp(column: str, reached: str) -> str:
    return (
        f"CREATE TRIGGER tg_session_queue_{column} AFTER UPDATE OF status ON session_queue FOR EACH ROW WHEN {reached}"  # noqa: S608
        f" BEGIN UPDATE session_queue SET {column} = {NOW} WHERE item_id = new.item_id; END"
    )
