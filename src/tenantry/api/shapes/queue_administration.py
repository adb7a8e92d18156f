"""What administrators see and decide of the queue, over the wire."""

from collections.abc import Mapping
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from tenantry import queue
from tenantry.api.shapes.queue_status import ItemCounts, counted
from tenantry.queue import Limits, QueueStatistics, QueueStatus, RegisteredWorker, UserStatistics
from tenantry.repositories.users import User

__all__ = [
    "ForgottenWorkers",
    "QueueLimits",
    "QueueOverview",
    "QueueSettings",
    "QueueSettingsChange",
    "UserLimits",
    "WorkerDTO",
]


class UserOverview(ItemCounts):
    """One user's items of now, and how those fared that ended in the window."""

    user_id: str
    display_name: str | None
    email: str | None
    oldest_waiting: str | None = Field(description="When the oldest that waits was queued, UTC.")
    finished_in_window: int
    wait_p50: float | None = Field(description="Seconds that half of them waited at most.")
    wait_p95: float | None = Field(description="Seconds that 95 of 100 of them waited at most.")
    gpu_seconds: float = Field(description="Seconds that they ran.")
    share: float = Field(description="Their part of all seconds that items ran, from 0 to 1.")

    @classmethod
    def of(cls, found: UserStatistics, user: User | None) -> "UserOverview":
        return cls(
            **counted(found.counts),
            user_id=found.user_id,
            display_name=user.display_name if user else None,
            email=user.email if user else None,
            oldest_waiting=found.oldest_waiting,
            finished_in_window=found.finished_in_window,
            wait_p50=found.wait_p50,
            wait_p95=found.wait_p95,
            gpu_seconds=found.gpu_seconds,
            share=found.share,
        )


class QueueOverview(ItemCounts):
    """A queue, user by user."""

    queue_id: str
    paused: bool = Field(description="Whether nothing is given out, of this queue or of any.")
    window_seconds: float
    fairness: float | None = Field(description="Jain's index of the users' running time: 1 where all had the same.")
    users: list[UserOverview]

    @classmethod
    def of(cls, status: QueueStatus, found: QueueStatistics, users: Mapping[str, User]) -> "QueueOverview":
        return cls(
            **counted(status.everybody),
            queue_id=found.queue_id,
            paused=status.paused,
            window_seconds=found.window_seconds,
            fairness=found.fairness,
            users=[UserOverview.of(each, users.get(each.user_id)) for each in found.users],
        )


class QueueLimits(BaseModel):
    """What a user gets; null is no limit, or, for one user, what holds for everybody."""

    model_config = ConfigDict(extra="forbid")

    weight: StrictFloat | None = Field(None, description="Turns in relation to others', who have 1.")
    max_running: StrictInt | None = Field(None, description="Items that run at once, in all queues.")
    max_pending: StrictInt | None = Field(None, description="Items that wait at once, in all queues.")
    per_minute: StrictInt | None = Field(None, description="Items that are queued in a minute.")
    per_hour: StrictInt | None = None
    per_day: StrictInt | None = None

    @classmethod
    def of(cls, limits: Limits) -> "QueueLimits":
        return cls(**asdict(limits))

    def as_limits(self) -> Limits:
        return Limits(**self.model_dump())


class UserLimits(BaseModel):
    """What is set for one user, what holds for them, and whether they are paused."""

    user_id: str
    own: QueueLimits
    effective: QueueLimits
    paused: bool

    @classmethod
    def of(cls, limits: queue.UserLimits) -> "UserLimits":
        return cls(
            user_id=limits.user_id,
            own=QueueLimits.of(limits.own),
            effective=QueueLimits.of(limits.effective),
            paused=limits.paused,
        )


class QueueSettingsChange(BaseModel):
    """How much a queue holds and keeps; what is left out is null."""

    model_config = ConfigDict(extra="forbid")

    max_pending: StrictInt | None = Field(None, description="Items that may wait; null: what the server's settings say.")
    keep_items: StrictInt | None = Field(None, description="Items that are kept after their end; null: all.")
    keep_days: StrictFloat | None = Field(None, description="Days for which they are kept after their end; null: for good.")


class QueueSettings(QueueSettingsChange):
    """What was decided about a queue."""

    queue_id: str
    paused: bool

    @classmethod
    def of(cls, settings: queue.QueueSettings) -> "QueueSettings":
        return cls(**asdict(settings))


class WorkerDTO(BaseModel):
    """A worker as the studio knows it; times are UTC."""

    worker_id: str
    name: str
    host: str
    process: int = Field(description="Its number on the host.")
    queue_id: str | None = Field(description="The only queue that it works for; null: all.")
    devices: list[str]
    concurrency: int = Field(description="How many items it runs at once.")
    draining: bool = Field(description="Whether it takes nothing more.")
    started_at: str
    beat_at: str = Field(description="Its last sign of life.")
    expires_at: str = Field(description="When what it holds is given to others, unless it gives a sign of life.")
    is_alive: bool
    running: int

    @classmethod
    def of(cls, worker: RegisteredWorker) -> "WorkerDTO":
        return cls(**asdict(worker))


class ForgottenWorkers(BaseModel):
    """How many workers are not shown any more."""

    forgotten: int
