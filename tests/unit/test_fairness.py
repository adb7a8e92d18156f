"""Whose turn comes next, without any database."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.queue.fairness import Order, Turn, ahead_of, plan, stride

ORDERS = [Order.FAIR, Order.ROUND_ROBIN]


def singly(order: Order, turns: list[Turn], wanted: int, virtual_time: int) -> list[str]:
    """As many claims one after the other, each with what the one before left."""
    left = {turn.user_id: replace(turn) for turn in turns}
    served: list[str] = []
    claims = max((turn.served for turn in turns), default=0)
    for number in range(wanted):
        found = plan(order, list(left.values()), 1, virtual_time)
        if not found:
            break
        turn = left[found[0]]
        begins = max(turn.virtual_finish, virtual_time)
        virtual_time = begins
        turn.virtual_finish = begins + turn.stride
        turn.items -= 1
        turn.served = claims + number + 1
        turn.started_at = f"9{number:09d}"
        served.append(turn.user_id)
    return served


def waiting(weights: st.SearchStrategy[float]) -> st.SearchStrategy[list[Turn]]:
    """Users with items, turns of the past and first items that tell them apart."""

    def build(found: list[tuple[int, float, int]]) -> list[Turn]:
        return [
            Turn(f"u{place}", items, stride(weight), virtual_finish=past * 500_000, served=0, first=place)
            for place, (items, weight, past) in enumerate(found)
        ]

    return st.lists(st.tuples(st.integers(0, 8), weights, st.integers(0, 8)), max_size=6).map(build)


@given(waiting(st.just(1.0)), st.integers(0, 40), st.integers(0, 3), st.sampled_from(ORDERS))
def test_many_at_once_come_as_single_ones_would(turns: list[Turn], wanted: int, time: int, order: Order) -> None:
    """A worker with many slots changes nobody's turn."""
    assert plan(order, turns, wanted, time * 500_000) == singly(order, turns, wanted, time * 500_000)


@given(waiting(st.sampled_from([0.5, 1.0, 2.0, 3.0])), st.integers(0, 40), st.integers(0, 3))
def test_weights_change_nothing_about_that(turns: list[Turn], wanted: int, time: int) -> None:
    """Nor do turns of different lengths."""
    assert plan(Order.FAIR, turns, wanted, time * 500_000) == singly(Order.FAIR, turns, wanted, time * 500_000)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.sampled_from(ORDERS))
def test_nobody_is_served_twice_while_another_waits(items: list[int], order: Order) -> None:
    """At every prefix, for users of equal weight."""
    left = {f"u{place}": number for place, number in enumerate(items)}
    since: dict[str, set[str]] = {}
    for user in plan(order, [Turn(name, number, first=place) for place, (name, number) in enumerate(left.items())], 99, 0):
        starved = {other for other in left if left[other] and other != user} - since.get(user, set(left))
        assert not starved
        left[user] -= 1
        since = {name: seen | {user} for name, seen in since.items()} | {user: set()}


def test_weights_are_kept_over_time() -> None:
    """Of 600 turns between weights 1, 2 and 3, each gets its part, at every hundred."""
    turns = [Turn(f"w{weight}", 1_000, stride(weight)) for weight in (1, 2, 3)]
    order = plan(Order.FAIR, turns, 600, 0)
    for end in range(100, 601, 100):
        counts = Counter(order[:end])
        for weight in (1, 2, 3):
            assert abs(counts[f"w{weight}"] - end * weight / 6) <= 1.5


def test_nobody_saves_up_turns_by_being_away() -> None:
    """Who comes back is served next, and then in turn with the others."""
    others = [Turn("busy", 10, virtual_finish=50_000_000, served=90), Turn("also", 10, virtual_finish=50_000_000, served=91)]
    order = plan(Order.FAIR, [*others, Turn("back", 10, virtual_finish=1_000_000, served=2)], 6, 49_000_000)
    assert order == ["back", "busy", "also", "back", "busy", "also"]


@pytest.mark.parametrize("order", ORDERS)
def test_one_users_thousand_delay_the_others_by_one_each(order: Order) -> None:
    """Nine users with ten items each are served within the first hundred claims."""
    turns = [Turn("flood", 1_000, first=1), *(Turn(f"u{n}", 10, first=1_000 + n) for n in range(9))]
    first = plan(order, turns, 100, 0)
    assert Counter(first) == {"flood": 10, **{f"u{n}": 10 for n in range(9)}}


@given(waiting(st.just(1.0)), st.data(), st.sampled_from(ORDERS))
def test_a_place_in_the_line_is_where_the_turn_comes(turns: list[Turn], data: st.DataObject, order: Order) -> None:
    """Counted without going through the turns, for users of equal weight whose turns are whole."""
    turns = [replace(turn, virtual_finish=turn.virtual_finish // 1_000_000 * 1_000_000) for turn in turns if turn.items]
    if not turns:
        return
    mine = data.draw(st.sampled_from(turns))
    own = data.draw(st.integers(0, mine.items - 1))
    order_of_all = plan(order, turns, 1_000, 1_000_000)
    place = [index for index, user in enumerate(order_of_all) if user == mine.user_id][own]
    assert own + ahead_of(order, turns, mine.user_id, own, 1_000_000) == place
