"""How what is live is doing, told whenever that changes and in samples put together."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.evidence import Fact
from shared.events.stages import StageEvent

Health = Literal["healthy", "degraded", "unreachable", "unknown"]  # DESIGN 9


class HealthCounts(Fact):
    """A stretch of looks at one service, put together."""

    begins_at: datetime
    seconds: float
    looks: int
    good: int
    slow: int
    bad: int  # answered, and not as it should
    silent: int  # did not answer, or its process was not there
    latency_seconds: float | None  # of the answers, on average; None: there was none
    latency_seconds_max: float | None
    worst: Health  # that held at any time of it


class HealthEvent(StageEvent):
    """What every event about a service's health says."""

    service: str  # the step that deploys it
    run: UUID  # that brought what is live
    revision: int

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class HealthChanged(HealthEvent):
    """A service is doing otherwise than before."""

    type: ClassVar[str] = "windlass.health.changed.v1"

    health: Health
    before: Health
    reason: str  # what was seen, in a sentence
    since: datetime


class HealthSampled(HealthEvent):
    """How it did over a stretch that is over."""

    type: ClassVar[str] = "windlass.health.sampled.v1"

    counts: HealthCounts


class HealthEnded(HealthEvent):
    """Nobody looks after it any more: the stage does not deploy it now."""

    type: ClassVar[str] = "windlass.health.ended.v1"
