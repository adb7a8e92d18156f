"""Whose item comes next. Pure: what the database knows goes in, an order of users comes out.

FAIR is start-time fair queueing (Goyal, Vin and Cheng, 1996): a turn of a user takes 1/weight of virtual time, it begins when
the user's last one ended, but not before the virtual time at which the last of all turns began, so that nobody saves up turns
by being away; the turn that begins first comes next, and of several the user's who was served longest ago. With equal weights
that is round-robin: nobody is served twice while another waits. ROUND_ROBIN and FIFO are InvokeAI's orders (contract, 4.9).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Order", "Turn", "ahead_of", "plan", "stride"]

_SCALE = 1_000_000


class Order(StrEnum):
    """How users take turns."""

    FAIR = "fair"
    """By turns, in relation to their weights."""
    ROUND_ROBIN = "round_robin"
    """By turns, as InvokeAI gives them: whose last item was started longest ago."""
    FIFO = "fifo"
    """Nobody takes turns: the highest priority first, then the oldest item."""


def stride(weight: float) -> int:
    """The virtual time that a turn takes."""
    return max(1, round(_SCALE / weight))


@dataclass(slots=True)
class Turn:
    """A user who waits, in one queue or, for claims across all, in several.

    `items` may be claimed at most, by number and by limits; `first` is the id of the next of them, where it matters.
    """

    user_id: str
    items: int
    stride: int = _SCALE
    virtual_finish: int = 0
    served: int = 0
    started_at: str = ""
    first: int = 0


def plan(order: Order, turns: Sequence[Turn], wanted: int, virtual_time: int) -> list[str]:
    """Whose the next `wanted` turns are, or as many as there are items for; not for FIFO, in which users take none.

    The order is the one that as many single claims would give, one after the other.
    """
    waiting = {turn.user_id: turn for turn in turns if turn.items > 0}
    left = {user: turn.items for user, turn in waiting.items()}
    heap = [_place(order, turn, virtual_time) for turn in waiting.values()]
    heapq.heapify(heap)
    users: list[str] = []
    while heap and len(users) < wanted:
        key = heapq.heappop(heap)
        turn = waiting[key[-1]]
        users.append(turn.user_id)
        left[turn.user_id] -= 1
        if left[turn.user_id]:
            heapq.heappush(heap, _after(order, turn, key, len(users)))
    return users


def ahead_of(order: Order, turns: Sequence[Turn], user_id: str, own: int, virtual_time: int) -> int:
    """How many of the others' items come before the one of `user_id` before which `own` of their own come.

    Without going through the turns one by one: of each user those count that begin before. Where weights differ, turns that
    begin at the same virtual time are taken in the order of the users' last ones.
    """
    places = {turn.user_id: _place(order, turn, virtual_time) for turn in turns}
    mine = next(turn for turn in turns if turn.user_id == user_id)
    steps = {turn.user_id: turn.stride if order is Order.FAIR else 1 for turn in turns}
    begins = places[user_id][0] + own * steps[user_id]
    ahead = 0
    for turn in turns:
        if turn.user_id == mine.user_id:
            continue
        first, step = places[turn.user_id][0], steps[turn.user_id]
        before = max(-(-(begins - first) // step), 0)
        if first + before * step == begins and _precedes(places[turn.user_id], before, places[user_id], own):
            before += 1
        ahead += min(before, turn.items)
    return ahead


def _precedes(place: "_Key", turns: int, other: "_Key", others_turns: int) -> bool:
    """Whether, of two turns that begin at once, this one comes first: whose user had fewer, then whose was served first.

    Two users who had as many stand as they stood at the beginning; who had more had the last one later.
    """
    if turns != others_turns:
        return turns < others_turns
    return place[1:] < other[1:]


_Key = tuple[int, int, str, int, int, str]
"""Virtual start, number of this plan's claim, last start, number of the last claim, first item, user."""


def _place(order: Order, turn: Turn, virtual_time: int) -> _Key:
    if order is Order.FAIR:
        return max(turn.virtual_finish, virtual_time), 0, "", turn.served, turn.first, turn.user_id
    return 0, 0, turn.started_at, 0, turn.first, turn.user_id


def _after(order: Order, turn: Turn, key: _Key, claim: int) -> _Key:
    """The place of the user's next turn, after the one at `key`."""
    start = key[0] + turn.stride if order is Order.FAIR else 0
    return start, claim, key[2], key[3], turn.first, turn.user_id
