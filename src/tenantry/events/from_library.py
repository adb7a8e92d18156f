"""Stored events of boards, images, videos, workflows and accounts as they are delivered."""

from collections.abc import Iterator

from tenantry.events.audience import (
    SHARED_BOARDS,
    SHARED_WORKFLOWS,
    Form,
    Reach,
    Viewers,
    forms_of,
    joined,
    user_room,
)
from tenantry.events.known import Known, Told
from tenantry.events.types import accounts, library

__all__ = ["TELLING"]

_MEDIA = {
    "MediaSaved": {"image": library.ImageSaved, "video": library.VideoSaved},
    "MediaUpdated": {"image": library.ImageUpdated, "video": library.VideoUpdated},
    "MediaDeleted": {"image": library.ImageDeleted, "video": library.VideoDeleted},
}
_BoardEvent = library.BoardCreated | library.BoardUpdated | library.BoardDeleted | library.BoardShared
_MOVED = {"image": library.ImageMoved, "video": library.VideoMoved}


def _board_created(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    yield _board_forms(library.BoardCreated, event, known.viewers(event.body["board_id"]))


def _board_updated(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    """Those who saw the board while everybody did, and do not any more, learn just that."""
    viewers = known.viewers(event.body["board_id"])
    forms = _board_forms(library.BoardUpdated, event, viewers)
    if event.body["was_open"] and not viewers.everybody:
        forms = joined(forms, _revoked(event, frozenset({SHARED_BOARDS})))
    yield forms


def _board_deleted(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    viewers = Viewers(frozenset(event.body["shared_with"]), event.body["was_open"])
    yield _board_forms(library.BoardDeleted, event, viewers)


def _board_shared(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    yield _board_forms(library.BoardShared, event, Viewers(frozenset(event.body["user_ids"])))


def _board_unshared(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    """The owner hears that the board changed, who lost it that it is gone, unless they see it in another way."""
    viewers, lost = known.viewers(event.body["board_id"]), event.body["from_user_id"]
    forms = _board_forms(library.BoardUpdated, event, Viewers())
    if not viewers.everybody and lost not in viewers.user_ids:
        forms = joined(forms, _revoked(event, frozenset({user_room(lost)})))
    yield forms


def _media(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    """On a board, everybody who sees the board sees its images."""
    body = event.body
    names = body["names"] if "names" in body else [body["name"]]
    told = _MEDIA[event.kind][body["kind"]](
        timestamp=event.timestamp, user_id=event.user_id, names=names, board_id=body["board_id"]
    )
    yield forms_of(told, Reach(event.user_id, viewers=known.viewers(body["board_id"])))


def _media_moved(event: Told, known: Known) -> Iterator[tuple[Form, ...]]:
    """Who sees both boards learns the whole way, who sees one of them only its part of it."""
    before, after = event.body["before_board_id"], event.body["board_id"]
    left, reached = known.viewers(before), known.viewers(after)

    def told(from_board_id: str | None, board_id: str | None, viewers: Viewers) -> tuple[Form, ...]:
        moved = _MOVED[event.body["kind"]](
            timestamp=event.timestamp,
            user_id=event.user_id,
            names=event.body["names"],
            board_id=board_id,
            from_board_id=from_board_id,
        )
        return forms_of(moved, Reach(event.user_id, viewers=viewers))

    whole = told(before, after, left & reached)
    # Whoever has the whole way has had their copy; the parts are for the others.
    yield joined(whole, _without_whole(told(before, None, left)), _without_whole(told(None, after, reached)))


def _workflow_created(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    told = library.WorkflowCreated(timestamp=event.timestamp, user_id=event.user_id, **event.body)
    yield forms_of(told, Reach(event.user_id, is_public=told.is_public))


def _workflow_updated(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    told = library.WorkflowUpdated(timestamp=event.timestamp, user_id=event.user_id, **event.body)
    forms = forms_of(told, Reach(event.user_id, is_public=told.new_is_public))
    if told.old_is_public and not told.new_is_public:
        revoked = library.WorkflowAccessRevoked(timestamp=event.timestamp, workflow_id=told.workflow_id, user_id=event.user_id)
        forms = joined(forms, (Form(frozenset({SHARED_WORKFLOWS}), revoked),))
    yield forms


def _workflow_deleted(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    told = library.WorkflowDeleted(timestamp=event.timestamp, user_id=event.user_id, **event.body)
    yield forms_of(told, Reach(event.user_id, is_public=told.is_public))


def _library_transferred(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    to = event.body["to_user_id"]
    told = library.LibraryTransferred(timestamp=event.timestamp, user_id=event.user_id, to_user_id=to)
    yield joined(forms_of(told, Reach(event.user_id)), (Form(frozenset({user_room(to)}), told),))


def _account_created(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    yield forms_of(accounts.AccountCreated(timestamp=event.timestamp, user_id=event.user_id), Reach(event.user_id))


def _account_changed(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    told = accounts.AccountChanged(
        timestamp=event.timestamp,
        user_id=event.user_id,
        is_admin=event.body["is_admin"],
        is_active=event.body["is_active"],
    )
    yield forms_of(told, Reach(event.user_id))


def _account_deleted(event: Told, _: Known) -> Iterator[tuple[Form, ...]]:
    yield forms_of(accounts.AccountDeleted(timestamp=event.timestamp, user_id=event.user_id), Reach(event.user_id))


def _board_forms(kind: "type[_BoardEvent]", event: Told, viewers: Viewers) -> tuple[Form, ...]:
    told = kind(timestamp=event.timestamp, user_id=event.user_id, board_id=event.body["board_id"])
    return forms_of(told, Reach(event.user_id, viewers=viewers))


def _revoked(event: Told, rooms: frozenset[str]) -> tuple[Form, ...]:
    told = library.BoardAccessRevoked(timestamp=event.timestamp, user_id=event.user_id, board_id=event.body["board_id"])
    return (Form(rooms, told),)


def _without_whole(forms: tuple[Form, ...]) -> tuple[Form, ...]:
    return forms[1:]


TELLING = {
    "BoardCreated": _board_created,
    "BoardUpdated": _board_updated,
    "BoardDeleted": _board_deleted,
    "BoardShared": _board_shared,
    "BoardUnshared": _board_unshared,
    "MediaSaved": _media,
    "MediaUpdated": _media,
    "MediaDeleted": _media,
    "MediaMoved": _media_moved,
    "WorkflowCreated": _workflow_created,
    "WorkflowUpdated": _workflow_updated,
    "WorkflowDeleted": _workflow_deleted,
    "LibraryTransferred": _library_transferred,
    "AccountCreated": _account_created,
    "AccountChanged": _account_changed,
    "AccountDeleted": _account_deleted,
}
"""How each kind of these changes is told, by its name."""
