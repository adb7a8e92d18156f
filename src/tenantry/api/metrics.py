"""What this process counts, and how the studio stands, as Prometheus reads it. No label tells of one user."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tenantry.events.sockets import SocketServer
from tenantry.queue import Status
from tenantry.repositories.changes import Change
from tenantry.studio import Studio
from tenantry.tenancy import InternalReason, Principal

__all__ = ["Metrics"]


class Metrics:
    """The figures of one server process over a studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._written: Counter[str] = Counter()
        # Units of work end in any thread.
        self._lock = threading.Lock()
        studio.listen(self._changed)

    async def text(self, server: SocketServer | None) -> bytes:
        """All figures; those of event streams where they are served."""
        with self._lock:
            written = dict(self._written)
        families = [_written(written), *await self._queue()]
        if server is not None:
            families += [*_streams(server), _lag(await server.relay.lag())]
        registry = CollectorRegistry()
        registry.register(_Families(families))
        return generate_latest(registry)

    async def _queue(self) -> Sequence[Metric]:
        async with self._studio.read(Principal.internal(InternalReason.OPERATE)) as work:
            items, workers = await work.queue_facts.everywhere(), await work.workers.all()
        by_status = GaugeMetricFamily("tenantry_queue_items", "Items of all queues.", labels=["status"])
        for status in Status:
            by_status.add_metric([status.value], items.get(status, 0))
        alive = sum(worker.is_alive for worker in workers)
        return by_status, GaugeMetricFamily("tenantry_workers_alive", "Workers that have given a sign of life.", alive)

    def _changed(self, changes: Sequence[Change]) -> None:
        """A unit of work of this process has changed something; called in its thread."""
        kinds = Counter(type(change).__name__ for change in changes)
        with self._lock:
            self._written.update(kinds)


@dataclass(eq=False, slots=True)
class _Families:
    """What a registry asks for its figures."""

    families: Sequence[Metric]

    def collect(self) -> Sequence[Metric]:
        return self.families


def _written(by_kind: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "tenantry_events_written", "Events that this process has stored; each item of several counts.", labels=["kind"]
    )
    for kind, number in sorted(by_kind.items()):
        family.add_metric([kind], number)
    return family


def _streams(server: SocketServer) -> Iterator[Metric]:
    sockets = GaugeMetricFamily("tenantry_sockets", "Open event streams of this process.", labels=["role"])
    for role, number in zip(("admin", "user"), server.connections.count(), strict=True):
        sockets.add_metric([role], number)
    yield sockets
    sending, bus = server.sending, server.bus
    yield CounterMetricFamily("tenantry_events_relayed", "Stored events that came by to be delivered.", server.relay.delivered)
    yield CounterMetricFamily("tenantry_event_copies_sent", "Copies of events that were sent to clients.", sending.sent)
    yield CounterMetricFamily(
        "tenantry_event_copies_dropped", "Copies of progress and previews that slow clients did not get.", sending.dropped
    )
    yield GaugeMetricFamily("tenantry_bus_connected", "Whether other processes are heard.", bus.connected)
    yield CounterMetricFamily("tenantry_bus_dropped", "Messages for other processes that were given up.", bus.dropped)


def _lag(seconds: float) -> Metric:
    return GaugeMetricFamily("tenantry_relay_lag_seconds", "Age of the oldest stored event that is not delivered.", seconds)
