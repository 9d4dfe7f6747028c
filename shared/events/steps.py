"""The story of a step inside a run."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.evidence import Evidence
from shared.events.runs import RunKind
from shared.events.shown import ProposedChanges, TestResults
from shared.events.stages import StageEvent
from shared.events.waits import Wait


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


class StepWaiting(StepEvent):
    """A gate: the run waits here for people or for a time."""

    type: ClassVar[str] = "windlass.step.waiting.v1"

    step_type: str
    wait: Wait
    needed: int  # different people who must approve; 0: none, it is a time that is waited for
    approvers: tuple[str, ...]  # who may; empty: whoever may act on the stage
    shown: str  # the digest of all that is shown: what an approval is of
    plan_hash: str
    artifacts: dict[str, str]  # id -> digest
    tests: TestResults | None = None  # a test that failed, and somebody decides
    changes: ProposedChanges | None = None  # what the step would change


class StepTested(StepEvent):
    """A test command ended."""

    type: ClassVar[str] = "windlass.step.tested.v1"

    tests: TestResults


class StepApplying(StepEvent):
    """The changes that it proposed are being made."""

    type: ClassVar[str] = "windlass.step.applying.v1"

    changes: ProposedChanges


class GateAnswered(StepEvent):
    """Somebody approved or rejected at a gate."""

    type: ClassVar[str] = "windlass.gate.answered.v1"

    actor: str
    verdict: Literal["approved", "rejected"]
    comment: str
    approvals: int  # so far, this one included
    needed: int


class StepSucceeded(StepEvent):
    """It ran and did what it is for."""

    type: ClassVar[str] = "windlass.step.succeeded.v1"

    outputs: dict[str, str]


class StepFailed(StepEvent):
    """It ran, or could not, and did not do what it is for."""

    type: ClassVar[str] = "windlass.step.failed.v1"

    evidence: Evidence


class AttemptFailed(StepEvent):
    """An attempt did not do what the step is for, and there may be another."""

    type: ClassVar[str] = "windlass.attempt.failed.v1"

    evidence: Evidence
    attempts_max: int
    run_kind: RunKind


class AttemptClassified(StepEvent):
    """Whether an attempt's failure may pass by itself."""

    type: ClassVar[str] = "windlass.attempt.classified.v1"

    code: str
    retryable: bool
    rule: str


class StepBackingOff(StepEvent):
    """The next attempt begins at a time."""

    type: ClassVar[str] = "windlass.step.backing_off.v1"

    until: datetime
    code: str  # of the failure that may pass
    rule: str


class StepSkipped(StepEvent):
    """It did not run: the stage leaves it out, or something before it failed."""

    type: ClassVar[str] = "windlass.step.skipped.v1"

    reason: str


class StepKept(StepEvent):
    """A retry does not do it again: it succeeded in the run that is retried."""

    type: ClassVar[str] = "windlass.step.kept.v1"

    outputs: dict[str, str]
    of_run: UUID


class StepCancelled(StepEvent):
    """It was stopped because its run is ending."""

    type: ClassVar[str] = "windlass.step.cancelled.v1"

    reason: str


class StepTimedOut(StepEvent):
    """Its limit passed and it was stopped."""

    type: ClassVar[str] = "windlass.step.timed_out.v1"

    evidence: Evidence
