"""The story of a run: one revision in one stage, once."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.evidence import Evidence, Fact
from shared.events.stages import StageEvent
from shared.ids import Commit

RunKind = Literal["deploy", "retry", "rollback", "roll_forward"]
WaitReason = Literal[
    "previous_stage",
    "lock",
    "window",
    "blocker",
    "stopped",
    "hold",
    "build",
    "approval",
    "bake",
    "retry_backoff",
]


class Wait(Fact):
    """Why a run is not going on, and what ends that (L2)."""

    reason: WaitReason
    blocked_by: str  # "run 7f… of revision 12", "artifact web"
    released_by: str  # the event or the person that ends the wait, in a sentence
    since: datetime
    deadline: datetime | None = None  # None: `released_by` names a person or another bounded thing


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


class RunWaiting(RunEvent):
    """What it waits for changed; `wait` None: it waits for nothing any more."""

    type: ClassVar[str] = "windlass.run.waiting.v1"

    wait: Wait | None


class RunStarted(RunEvent):
    """It holds the stage's lock."""

    type: ClassVar[str] = "windlass.run.started.v1"

    deadline: datetime


class RunRollingBack(RunStarted):
    """A rollback holds the stage's lock."""

    type: ClassVar[str] = "windlass.run.rolling_back.v1"


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


class RunFailed(RunFinished):
    """A step, build or verification ended it."""

    type: ClassVar[str] = "windlass.run.failed.v1"

    failed_in: Literal["build", "step", "verification", "rollback"]
    step: str = ""
    evidence: Evidence
    rollback: Literal["", "started", "no_candidate"] = ""  # what follows by itself


class RunTimedOut(RunFinished):
    """A named limit passed."""

    type: ClassVar[str] = "windlass.run.timed_out.v1"

    step: str = ""  # empty: the stage's own limit
    evidence: Evidence
    rollback: Literal["", "started", "no_candidate"] = ""  # what follows by itself


class RunCancelled(RunFinished):
    """It was ended by a person and its work has stopped."""

    type: ClassVar[str] = "windlass.run.cancelled.v1"

    actor: str
    reason: str


class RunSuperseded(RunFinished):
    """A newer revision took its place before it started."""

    type: ClassVar[str] = "windlass.run.superseded.v1"

    by_run: UUID
    by_revision: int
