"""One way to call every route of the API, and what those who do not own its things may expect from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from fastapi import FastAPI

from tests.acceptance.conftest import WORKFLOW, Things

Kind = Literal[
    "open",  # answers anybody
    "own",  # answers with one's own things only
    "read",  # 404 for what one may not see, 2xx for what one may
    "change",  # 404 for what one may not see, 403 for what one may see and not change
    "personal",  # 404 for everybody else, administrators too
    "bulk",  # leaves out what one may not change
    "shown",  # answers everybody, without what is its owner's alone
    "guarded",  # 403 for what everybody sees and only its owner changes
    "hidden",  # 404 for everybody but its owner
    "admin",  # 403 for everybody but administrators
]


@dataclass(frozen=True)
class Call:
    """How to call a route on somebody's things."""

    kind: Kind
    query: Callable[[Things], dict[str, Any]] = lambda _: {}
    body: Callable[[Things], Any] | None = None
    form: bool = False


_PRESET = {"data": '{"name": "Ink", "positive_prompt": "{prompt}, ink", "negative_prompt": "", "type": "user"}'}


def _images(things: Things) -> dict[str, Any]:
    return {"image_names": [things.image_name]}


def _videos(things: Things) -> dict[str, Any]:
    return {"video_names": [things.video_name]}


def _items(things: Things) -> dict[str, Any]:
    return {"item_ids": [things.item_id]}


def _destination(things: Things) -> dict[str, Any]:
    return {"destination": things.destination}


def _board(things: Things) -> dict[str, Any]:
    return {"board_id": things.board_id}


CALLS: dict[str, Call] = {
    "healthz": Call("open"),
    "metrics": Call("admin"),
    "get_setup_status": Call("open"),
    "login": Call("open", body=lambda _: {"email": "bo@example.com", "password": "Correct-Horse-9"}),
    "setup_admin": Call("open", body=lambda _: {"email": "new@example.com", "password": "Correct-Horse-9"}),
    "logout": Call("own"),
    "get_current_user_info": Call("own"),
    "update_current_user": Call("own", body=lambda _: {"display_name": "Bob"}),
    "generate_password": Call("own"),
    "check_password_strength": Call("open", body=lambda _: {"password": "Correct-Horse-9"}),
    "list_users": Call("admin"),
    "create_user": Call("admin", body=lambda _: {"email": "new@example.com", "password": "Correct-Horse-9"}),
    "get_user": Call("admin"),
    "update_user": Call("admin", body=lambda _: {"is_admin": False}),
    "delete_user": Call("admin"),
    "refresh_media_cookie": Call("own"),
    "list_api_keys": Call("own"),
    "create_api_key": Call("own", body=lambda _: {"name": "Nightly", "scopes": ["read"]}),
    "delete_api_key": Call("personal"),
    "list_everybodys_api_keys": Call("admin"),
    "revoke_api_key": Call("admin"),
    "list_links": Call("admin"),
    "invite": Call("admin", body=lambda _: {"email": "new@example.com"}),
    "offer_password_reset": Call("admin"),
    "delete_link": Call("admin"),
    "redeem_link": Call("open", body=lambda _: {"secret": "tnl_nonsense", "password": "Correct-Horse-9"}),
    "list_audit_entries": Call("admin"),
    "lift_login_wait": Call("admin", query=lambda _: {"email": "ana@example.com"}),
    "create_board": Call("own", query=lambda _: {"board_name": "Mine"}),
    "list_boards": Call("own", query=lambda _: {"all": True}),
    "get_board": Call("read"),
    "list_all_board_image_names": Call("read"),
    "update_board": Call("change", body=lambda _: {"board_name": "Taken"}),
    "delete_board": Call("change", query=lambda _: {"include_images": True}),
    "list_board_shares": Call("read"),
    "share_board": Call("change", body=lambda _: {"user_ids": ["bo"], "permission": "admin"}),
    "unshare_board": Call("change"),
    "add_image_to_board": Call("change", body=lambda things: {**_board(things), "image_name": things.image_name}),
    "remove_image_from_board": Call("change", body=lambda things: {"image_name": things.image_name}),
    "add_images_to_board": Call("change", body=lambda things: {**_board(things), **_images(things)}),
    "remove_images_from_board": Call("bulk", body=_images),
    "list_image_dtos": Call("read", query=_board),
    "get_image_names": Call("read", query=_board),
    "get_images_by_names": Call("own", body=_images),
    "get_intermediates_count": Call("own"),
    "clear_intermediates": Call("admin"),
    "get_image_dto": Call("read"),
    "get_image_metadata": Call("read"),
    "get_image_urls": Call("read"),
    "get_image_full": Call("read"),
    "get_image_full_head": Call("read"),
    "get_image_thumbnail": Call("read"),
    "get_image_workflow": Call("read"),
    "star_images_in_list": Call("bulk", body=_images),
    "unstar_images_in_list": Call("bulk", body=_images),
    "delete_images_from_list": Call("bulk", body=_images),
    "delete_uncategorized_images": Call("own"),
    "update_image": Call("change", body=lambda _: {"starred": True}),
    "delete_image": Call("change"),
    "list_video_dtos": Call("read", query=_board),
    "get_video_names": Call("read", query=_board),
    "star_videos_in_list": Call("bulk", body=_videos),
    "unstar_videos_in_list": Call("bulk", body=_videos),
    "delete_videos_from_list": Call("bulk", body=_videos),
    "delete_uncategorized_videos": Call("own"),
    "add_video_to_board": Call("change", body=lambda things: {**_board(things), "video_name": things.video_name}),
    "remove_video_from_board": Call("change", body=lambda things: {"video_name": things.video_name}),
    "get_video_dto": Call("read"),
    "update_video": Call("change", body=lambda _: {"starred": True}),
    "delete_video": Call("change"),
    "get_video_metadata": Call("read"),
    "get_video_workflow": Call("read"),
    "get_video_urls": Call("read"),
    "get_video_full": Call("read"),
    "get_video_full_head": Call("read"),
    "get_video_thumbnail": Call("read"),
    "list_gallery_items": Call("read", query=_board),
    "list_gallery_item_names": Call("read", query=_board),
    "get_gallery_item_names": Call("read", query=_board),
    "list_virtual_boards_by_date": Call("own"),
    "list_virtual_board_image_names_by_date": Call("own"),
    "list_virtual_board_item_names_by_date": Call("own"),
    "list_workflows": Call("own", query=lambda _: {"is_public": False}),
    "get_all_tags": Call("own"),
    "get_counts_by_tag": Call("own", query=lambda _: {"tags": ["fox"]}),
    "counts_by_category": Call("own", query=lambda _: {"categories": ["user"]}),
    "get_workflow": Call("read"),
    "create_workflow": Call("own", body=lambda _: {"workflow": WORKFLOW}),
    "update_workflow": Call("change", body=lambda things: {"workflow": {**WORKFLOW, "id": things.workflow_id}}),
    "delete_workflow": Call("change"),
    "update_workflow_is_public": Call("change", body=lambda _: {"is_public": True}),
    "update_opened_at": Call("change"),
    "list_style_presets": Call("own"),
    "get_style_preset": Call("read"),
    "create_style_preset": Call("own", form=True, body=lambda _: _PRESET),
    "update_style_preset": Call("change", form=True, body=lambda _: _PRESET),
    "delete_style_preset": Call("change"),
    "list_system_prompts": Call("own"),
    "get_system_prompt": Call("read"),
    "create_system_prompt": Call("own", body=lambda _: {"name": "Short", "content": "Be brief."}),
    "update_system_prompt": Call("change", body=lambda _: {"content": "Be long."}),
    "delete_system_prompt": Call("change"),
    "get_client_state_by_key": Call("own", query=lambda _: {"key": "canvas"}),
    "set_client_state": Call("own", query=lambda _: {"key": "canvas"}, body=lambda _: "red"),
    "get_client_state_keys_by_prefix": Call("own", query=lambda _: {"prefix": ""}),
    "delete_client_state_by_key": Call("own", query=lambda _: {"key": "canvas"}),
    "delete_client_state": Call("own"),
    "enqueue_batch": Call("own", body=lambda _: {"batch": {"graph": {"nodes": {}}, "runs": 2}}),
    "get_batch_status": Call("hidden"),
    "list_queue_items": Call("shown"),
    "list_all_queue_items": Call("shown"),
    "get_queue_item_ids": Call("shown"),
    "get_queue_items_by_item_ids": Call("shown", body=_items),
    "get_queue_item_summaries_by_ids": Call("shown", body=_items),
    "get_current_queue_item": Call("shown"),
    "get_next_queue_item": Call("shown"),
    "get_queue_item": Call("shown"),
    "get_queue_item_position": Call("shown"),
    "cancel_queue_item": Call("guarded"),
    "delete_queue_item": Call("guarded"),
    "cancel_all_except_current": Call("own"),
    "delete_all_except_current": Call("own"),
    "cancel_by_batch_ids": Call("own", body=lambda things: {"batch_ids": [things.batch_id]}),
    "cancel_by_destination": Call("hidden", query=_destination),
    "delete_by_destination": Call("hidden"),
    "retry_items_by_id": Call("guarded", body=lambda things: [things.item_id]),
    "clear": Call("own"),
    "prune": Call("own"),
    "get_queue_status": Call("shown"),
    "counts_by_destination": Call("own", query=_destination),
    "pause": Call("admin"),
    "resume": Call("admin"),
    "get_queue_overview": Call("admin"),
    "list_items_of_everybody": Call("admin"),
    "put_item_first": Call("admin"),
    "cancel_items_of_user": Call("admin"),
    "retry_items_of_user": Call("admin", body=_items),
    "prune_items_of_user": Call("admin"),
    "clear_items_of_user": Call("admin"),
    "pause_queue": Call("admin"),
    "resume_queue": Call("admin"),
    "get_queue_settings": Call("admin"),
    "set_queue_settings": Call("admin", body=lambda _: {"max_pending": 9}),
    "get_queue_limits": Call("admin"),
    "set_queue_limits": Call("admin", body=lambda _: {"weight": 2}),
    "get_user_limits": Call("admin"),
    "set_user_limits": Call("admin", body=lambda _: {"weight": 2}),
    "pause_user": Call("admin"),
    "resume_user": Call("admin"),
    "list_workers": Call("admin"),
    "drain_worker": Call("admin"),
    "undrain_worker": Call("admin"),
    "forget_expired_workers": Call("admin"),
}
"""By operation id; a route without a row here fails the suite."""

OTHERS = {"user_id": "root", "link_id": "absent", "date": "2026-11-23", "queue_id": "default", "worker_id": "absent"}
"""What else stands in addresses."""


def operations(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Operation id, method and path of every route that the API describes."""
    for path, methods in app.openapi()["paths"].items():
        for method, described in methods.items():
            yield described["operationId"], method.upper(), path


async def make_call(client: httpx.AsyncClient, operation: tuple[str, str, str], things: Things) -> httpx.Response:
    """Call a route on these things."""
    name, method, path = operation
    call = CALLS[name]
    address = path.format(**things.of_path(), **OTHERS)
    body = call.body(things) if call.body else None
    form, document = (body, None) if call.form else (None, body)
    return await client.request(method, address, params=call.query(things), json=document, data=form)
