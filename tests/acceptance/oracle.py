"""Who is to get what of what is stored, worked out from who owns what and who was shown what, apart from the product."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tenantry.database.tables import events
from tenantry.events.places import Places
from tests.acceptance.listening import Listener

__all__ = ["BoardNote", "Oracle", "stored_events"]

Place = tuple[int, int]
"""Where an event is stored, and which of those that are stored there."""

OF_THE_QUEUE = {"ItemChanged", "BatchEnqueued", "ItemsCanceled", "ItemsDeleted", "ItemsRetried"}


@dataclass
class BoardNote:
    """What was ever done to a board. Whoever saw a board that changed may have heard of it, and need not."""

    owner: str
    seen_by: set[str] = field(default_factory=set)
    changed: bool = False


class Oracle:
    """Judges clients by the stored events; `boards` is what the test has noted of each board."""

    def __init__(self, everybody: set[str], admins: set[str], boards: dict[str, BoardNote], places: Places) -> None:
        self._everybody, self._admins, self._boards, self._places = everybody, admins, boards, places

    def judge(self, listener: Listener, rows: list[sa.Row[Any]]) -> list[str]:
        """What is wrong with what a client got."""
        wrong = [] if listener.refetches == 0 else [f"was told {listener.refetches} times to fetch anew"]
        had = [self._places.read(event_id) for event_id in listener.got]
        positions = [position for position in had if position is not None]
        if positions != sorted(set(positions)) or len(positions) != len(had):
            wrong.append("out of order")
        must, may = self._expected(listener, rows)
        got = set(positions)
        wrong += [f"missing {position} {kind}" for position, kind in must.items() if position not in got]
        wrong += [f"strange {position}" for position in got - must.keys() - may]
        return wrong

    def surely(self, listener: Listener, rows: list[sa.Row[Any]]) -> set[Place]:
        """Where the events are that a client must get."""
        return set(self._expected(listener, rows)[0])

    def had(self, listener: Listener) -> set[Place]:
        """Where the events are that it has got."""
        return {position for event_id in listener.got if (position := self._places.read(event_id)) is not None}

    def _expected(self, listener: Listener, rows: list[sa.Row[Any]]) -> tuple[dict[Place, str], set[Place]]:
        must, may = dict[Place, str](), set[Place]()
        for row in rows:
            body = json.loads(row.body)
            surely, perhaps = self._audience(row, body)
            subscribed = row.kind in OF_THE_QUEUE and bool(listener.queue_ids)
            for position in _positions(row, body):
                if listener.name in surely or subscribed:
                    must[position] = row.kind
                elif listener.name in perhaps:
                    may.add(position)
        return must, may

    def _audience(self, row: sa.Row[Any], body: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Who gets it, and who may besides."""
        surely, perhaps = {row.user_id} | self._admins, set[str]()
        if row.kind == "AccountCreated":
            # From before anybody listened.
            return perhaps, surely
        if row.kind.startswith("Workflow") and (
            body.get("is_public") or body.get("new_is_public") or body.get("old_is_public")
        ):
            surely |= self._everybody
        named = [body.get("board_id"), body.get("before_board_id")]
        for board in [self._boards[board_id] for board_id in named if board_id is not None]:
            perhaps |= board.seen_by | {board.owner}
            if not board.changed:
                surely |= board.seen_by | {board.owner}
        return surely, perhaps


def _positions(row: sa.Row[Any], body: dict[str, Any]) -> Iterator[Place]:
    yield from ((row.place, index) for index in range(len(body["items"]) if row.kind == "ItemChanged" else 1))


def stored_events(dialect: str) -> sa.Select[Any]:
    """All rows, in the order of delivery."""
    place = events.c.event_id if dialect == "sqlite" else events.c.sequence
    return sa.select(place.label("place"), events.c.user_id, events.c.kind, events.c.body).order_by(place)
