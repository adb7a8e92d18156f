"""The unit of work with the queue in reach."""

from functools import cached_property

from tenantry.database import Clock, Connection, Ids
from tenantry.queue.facts import QueueFacts
from tenantry.queue.queue import Dispatch, Queue, QueueAdministration, Workers
from tenantry.queue.rules import QueueRules
from tenantry.repositories import UnitOfWork as Repositories
from tenantry.tenancy import Principal

__all__ = ["UnitOfWork"]


class UnitOfWork(Repositories):
    """Every repository, and the queue, over one transaction."""

    def __init__(
        self, connection: Connection, principal: Principal, clock: Clock, ids: Ids, queue_rules: QueueRules | None = None
    ) -> None:
        super().__init__(connection, principal, clock, ids)
        self._queue_rules = queue_rules or QueueRules()

    @cached_property
    def queue(self) -> Queue:
        return Queue(self.ground, self._queue_rules)

    @cached_property
    def dispatch(self) -> Dispatch:
        return Dispatch(self.ground, self._queue_rules)

    @cached_property
    def workers(self) -> Workers:
        return Workers(self.ground, self._queue_rules)

    @cached_property
    def queue_administration(self) -> QueueAdministration:
        return QueueAdministration(self.ground, self._queue_rules)

    @cached_property
    def queue_facts(self) -> QueueFacts:
        return QueueFacts(self.ground, self._queue_rules)
