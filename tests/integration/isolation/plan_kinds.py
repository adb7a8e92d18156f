"""What a plan says: how a method is turned against somebody's rows, and what must come of it for whom."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, auto
from typing import Any

from tenantry.queue import UnitOfWork
from tests.integration.isolation.world import Target

Attack = Callable[[UnitOfWork, Target], Coroutine[Any, Any, object]]


class Outcome(Enum):
    """What must come of an attack; in no case may it leak or change what is not the attacker's."""

    NOT_FOUND = auto()
    NOT_ALLOWED = auto()
    EMPTY = auto()
    OWN_ROWS_ONLY = auto()
    SUCCESS = auto()


@dataclass(frozen=True)
class Plan:
    """An attack, and its outcome by who tries: against private things, and against those that are shown to them.

    `owner` is what the owner gets, which shows that the attack would work where it is right. `takes_back` is set where an
    answer repeats the ids that it was asked about, which is no leak; `internal` where not even an administrator may.
    """

    attack: Attack
    private: Outcome
    shown_to_stranger: Outcome
    reader: Outcome
    writer: Outcome
    manager: Outcome
    owner: Outcome = Outcome.SUCCESS
    repeats_ids: bool = False
    shown_is_public: bool = False
    internal: bool = False

    def against(self, target: Target) -> Callable[[UnitOfWork], Coroutine[Any, Any, object]]:
        """The attack, aimed."""
        return lambda work: self.attack(work, target)


def on_board(
    attack: Attack,
    *,
    private: Outcome = Outcome.NOT_FOUND,
    reader: Outcome = Outcome.SUCCESS,
    writer: Outcome = Outcome.SUCCESS,
    manager: Outcome | None = None,
    owner: Outcome = Outcome.SUCCESS,
    repeats_ids: bool = False,
) -> Plan:
    """For what a board's shares give access to; a stranger gets nothing of either; a manager what a writer gets, or more."""
    return Plan(attack, private, private, reader, writer, manager or writer, owner, repeats_ids)


def in_library(attack: Attack, *, private: Outcome = Outcome.NOT_FOUND, public: Outcome = Outcome.SUCCESS) -> Plan:
    """For what is private or public; boards and shares play no part."""
    return Plan(attack, private, public, public, public, public, shown_is_public=True)


def own(attack: Attack, outcome: Outcome = Outcome.OWN_ROWS_ONLY, *, shown_is_public: bool = False) -> Plan:
    """For lists and changes that only ever concern the caller's own rows."""
    return Plan(attack, outcome, outcome, outcome, outcome, outcome, shown_is_public=shown_is_public)


def privileged(attack: Attack, *, internal: bool = False) -> Plan:
    """For what only administrators (or not even they) and Tenantry itself may do, the owner of the rows no more than others."""
    refused = Outcome.NOT_ALLOWED
    return Plan(attack, refused, refused, refused, refused, refused, refused, internal=internal)


def on_item(attack: Attack) -> Plan:
    """For changes of single items of the queue: everybody sees that they are there, and only their owner changes them."""
    refused = Outcome.NOT_ALLOWED
    return Plan(attack, refused, refused, refused, refused, refused)


def is_empty(answer: object) -> bool:
    """Whether an answer holds nothing: None, False, zero, an empty list, or a value made of such and of numbers."""
    if isinstance(answer, dict):
        return all(is_empty(value) for value in answer.values())
    if is_dataclass(answer) and not isinstance(answer, type):
        held = [getattr(answer, field.name) for field in fields(answer) if not field.name.endswith(("_id", "limit", "offset"))]
        return all(is_empty(value) for value in held)
    return not answer
