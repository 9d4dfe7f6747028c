"""The documents of how services do: now, what changed, and how they did before."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from services.status.views.view import View
from shared.events import Health

KNOWN_FOR_SECONDS_MAX = 3 * 3600.0 + 300.0  # where nobody has said how often it is looked at


class ServiceHealth(View):
    """How a service of a stage is doing."""

    service: str = Field(description="The service: the id of the step that deploys it")
    health: Health = Field(
        description="healthy, degraded, unreachable, or unknown: nobody has looked since it was deployed, or "
        "for too long, or what was seen does not tell"
    )
    since: datetime = Field(description="Since when it is doing so")
    reason: str = Field(description="What was seen, in a sentence")
    run: UUID = Field(description="The run that deployed it")
    revision: int = Field(description="That run's revision")
    looked_at: datetime | None = Field(
        None,
        description="When a look at it was last told of: at once if it changed anything, else within about "
        "five minutes; null: never since it was deployed",
    )
    known_for_seconds: float = Field(
        KNOWN_FOR_SECONDS_MAX,
        description="After so long without that it is `unknown`: three looks' time, and five minutes",
    )


class HealthChange(View):
    """A service began to do otherwise than before."""

    health: Health = Field(description="How it does from then on")
    before: Health = Field(description="How it did until then")
    since: datetime = Field(description="When that began")
    reason: str = Field(description="What was seen, in a sentence")
    run: UUID = Field(description="The run that had deployed it")
    revision: int = Field(description="That run's revision")


class Stretch(NamedTuple):
    """All looks of a stretch of time, put together; as a list in JSON, because there are many."""

    begins: int  # seconds since 1970; a multiple of its list's width
    seconds: float  # that were looked at
    looks: int
    good: int
    slow: int
    bad: int
    silent: int
    answers: int  # whose latency is known
    latency_total: float
    latency_max: float | None  # None: no latency is known
    worst: Health


class HealthHistory(View):
    """How a service of a stage did, from close to far: what grows old is put together."""

    pipeline: str
    stage: str
    service: str
    since: datetime  # when it was first heard of
    ended_at: datetime | None = None  # nobody looks after it any more
    changes: tuple[HealthChange, ...] = ()
    changes_left_out: int = 0
    five_minutes: tuple[Stretch, ...] = ()
    hours: tuple[Stretch, ...] = ()  # without what is among the five minutes
    days: tuple[Stretch, ...] = ()  # without what is among the hours
