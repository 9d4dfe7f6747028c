"""The story of a step inside a run."""

from typing import ClassVar
from uuid import UUID

from shared.events.evidence import Evidence
from shared.events.stages import StageEvent


class StepEvent(StageEvent):
    """What every event of a step says."""

    run: UUID
    revision: int
    step: str
    attempt: int  # from 1; 0 for a step that never ran

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class StepStarted(StepEvent):
    """An attempt was ordered."""

    type: ClassVar[str] = "windlass.step.started.v1"

    step_type: str
    log: str  # the attempt whose lines are its output


class StepSucceeded(StepEvent):
    """It ran and did what it is for."""

    type: ClassVar[str] = "windlass.step.succeeded.v1"

    outputs: dict[str, str]


class StepFailed(StepEvent):
    """It ran, or could not, and did not do what it is for."""

    type: ClassVar[str] = "windlass.step.failed.v1"

    evidence: Evidence


class StepSkipped(StepEvent):
    """It did not run: the stage leaves it out, or something before it failed."""

    type: ClassVar[str] = "windlass.step.skipped.v1"

    reason: str


class StepCancelled(StepEvent):
    """It was stopped because its run is ending."""

    type: ClassVar[str] = "windlass.step.cancelled.v1"

    reason: str


class StepTimedOut(StepEvent):
    """Its limit passed and it was stopped."""

    type: ClassVar[str] = "windlass.step.timed_out.v1"

    evidence: Evidence
