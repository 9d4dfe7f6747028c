"""The story of a run: one revision in one stage, once."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.evidence import Evidence
from shared.events.stages import StageEvent
from shared.events.targets import ProbeTarget
from shared.events.waits import Wait
from shared.ids import Commit

RunKind = Literal["deploy", "retry", "rollback", "roll_forward"]


class StageDeclared(StageEvent):
    """A plan named this stage; said again when its place or target changed."""

    type: ClassVar[str] = "windlass.stage.declared.v1"

    place: int  # from 0, in promotion order
    target: str


class StageHeld(StageEvent):
    """A revision is kept out of the stage until a person releases it."""

    type: ClassVar[str] = "windlass.stage.held.v1"

    revision: int
    reason: str

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class HoldReleased(StageEvent):
    """A person let a revision be admitted to the stage again."""

    type: ClassVar[str] = "windlass.hold.released.v1"

    revision: int
    actor: str
    reason: str

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class StageBlocked(StageEvent):
    """Something has to be over before the stage begins a run again."""

    type: ClassVar[str] = "windlass.stage.blocked.v1"

    blocker: str  # "alarm shop-5xx"
    reason: str
    released_by: str


class BlockerLifted(StageEvent):
    """It is over, or a person says so; from `at` on it keeps nothing."""

    type: ClassVar[str] = "windlass.blocker.lifted.v1"

    blocker: str
    actor: str  # empty: by itself
    reason: str
    at: datetime


class StageStopped(StageEvent):
    """A person keeps the stage, or with `*` every stage of the pipeline, from beginning anything."""

    type: ClassVar[str] = "windlass.stage.stopped.v1"

    actor: str
    reason: str


class StageResumed(StageEvent):
    """It begins runs again, if nothing else keeps it."""

    type: ClassVar[str] = "windlass.stage.resumed.v1"

    actor: str
    reason: str


class WindowOverridden(StageEvent):
    """A person lets the stage begin runs until then, whatever its window says."""

    type: ClassVar[str] = "windlass.window.overridden.v1"

    until: datetime
    actor: str
    reason: str


class RunEvent(StageEvent):
    """What every event of a run says."""

    run: UUID
    revision: int
    kind: RunKind

    @property
    def subject(self) -> str:
        """Return pipeline/stage."""
        return self.key

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class RunQueued(RunEvent):
    """The run exists, Not Started."""

    type: ClassVar[str] = "windlass.run.queued.v1"

    commit: Commit
    plan_hash: str
    wait: Wait | None
    restores: int | None = None  # a rollback: the revision whose artifacts and plan it brings back
    rolls_back: UUID | None = None  # a rollback: the run that made it necessary
    retries: UUID | None = None  # a retry: the run that is tried again
    actor: str = ""  # who asked for it; empty: it came by itself
    reason: str = ""


class DefinitionHeld(RunEvent):
    """The pipeline file changed in a way that somebody must approve before the revision begins its way."""

    type: ClassVar[str] = "windlass.definition.held.v1"

    mode: str  # which changes need approval: "ALWAYS", "DESTRUCTIVE_CHANGES_ONLY"
    changes: tuple[str, ...]  # in sentences, the ones that need it first
    further: int  # that are not told here
    plan_hash: str
    shown: str  # the digest of all of it: what an approval is of


class DefinitionAnswered(RunEvent):
    """Somebody approved or rejected the change of the pipeline file."""

    type: ClassVar[str] = "windlass.definition.answered.v1"

    actor: str
    verdict: Literal["approved", "rejected"]
    comment: str


class RunWaiting(RunEvent):
    """What it waits for changed; `wait` None: it waits for nothing any more."""

    type: ClassVar[str] = "windlass.run.waiting.v1"

    wait: Wait | None
    deadline: datetime | None = None  # the run's own, as it is now; None: it has none yet, or nobody said


class RunStarted(RunEvent):
    """It holds the stage's lock."""

    type: ClassVar[str] = "windlass.run.started.v1"

    deadline: datetime


class RunRollingBack(RunStarted):
    """A rollback holds the stage's lock."""

    type: ClassVar[str] = "windlass.run.rolling_back.v1"


class RunRollingForward(RunStarted):
    """A run that goes past the queue holds the stage's lock."""

    type: ClassVar[str] = "windlass.run.rolling_forward.v1"


class RunCancelling(RunEvent):
    """A person asked it to end; its work is being stopped."""

    type: ClassVar[str] = "windlass.run.cancelling.v1"

    actor: str
    reason: str


class RunFinished(RunEvent):
    """A final state: nothing about this run changes any more (S2)."""

    state: str  # the final state, in the seed's words


class RunSucceeded(RunFinished):
    """Succeeded, Rolled Back or Rolled Forward."""

    type: ClassVar[str] = "windlass.run.succeeded.v1"

    urls: dict[str, str] = Field(default_factory=dict)  # service -> stable URL
    targets: tuple[ProbeTarget, ...] = ()  # what this run deployed, at its stable URLs
    services: tuple[str, ...] = ()  # that are known to be live: what it deployed, and what it kept
    private_addresses: bool = False  # the target is local


class RunFailed(RunFinished):
    """A step, build or verification ended it."""

    type: ClassVar[str] = "windlass.run.failed.v1"

    failed_in: Literal["build", "step", "verification", "rollback"]
    step: str = ""
    evidence: Evidence
    rollback: Literal["", "started", "no_candidate"] = ""  # what follows by itself
    asked_by: str = ""  # the person who asked for this run; empty: it came by itself, or nobody said


class RunTimedOut(RunFinished):
    """A named limit passed."""

    type: ClassVar[str] = "windlass.run.timed_out.v1"

    step: str = ""  # empty: the stage's own limit
    evidence: Evidence
    rollback: Literal["", "started", "no_candidate"] = ""  # what follows by itself
    asked_by: str = ""  # the person who asked for this run; empty: it came by itself, or nobody said


class RunCancelled(RunFinished):
    """It was ended by a person or an alarm, and its work has stopped."""

    type: ClassVar[str] = "windlass.run.cancelled.v1"

    actor: str
    reason: str
    rollback: Literal["", "started", "no_candidate"] = ""  # what follows by itself


class RunSuperseded(RunFinished):
    """A newer revision took its place before it started."""

    type: ClassVar[str] = "windlass.run.superseded.v1"

    by_run: UUID
    by_revision: int
