"""What decides how a run goes on: a picture of where everything stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.deployer.run_state import RESTORES, State
from services.deployer.step_state import StepState
from shared.events import Evidence
from shared.ids import Step
from shared.plan import ArtifactPlan, StagePlan


class ArtifactState(StrEnum):
    """Where an artifact of a revision stands."""

    PENDING = "pending"
    REQUESTED = "requested"
    BUILT = "built"
    FAILED = "failed"


UNASKED = frozenset({ArtifactState.PENDING})  # nobody builds it yet


class VerificationState(StrEnum):
    """Where a verification stands."""

    NONE = ""
    REQUESTED = "requested"
    PASSED = "passed"
    FAILED = "failed"


AWAITED = frozenset({VerificationState.REQUESTED})  # a verdict is still to come


@dataclass(frozen=True, slots=True)
class StepPicture:
    """A step as far as it has come."""

    state: StepState = StepState.PENDING
    deadline: datetime | None = None
    verification: VerificationState = VerificationState.NONE  # of its candidate
    stopping: bool = False  # its worker was told to stop, or its candidate is being discarded
    evidence: Evidence | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunPicture:
    """All that decides how a run goes on."""

    run: UUID
    state: State
    now: datetime
    deadline: datetime
    stage: StagePlan
    artifacts: Sequence[tuple[ArtifactPlan, ArtifactState, Evidence | None]]
    steps: Mapping[Step, StepPicture]
    verification: VerificationState = VerificationState.NONE  # of the stable addresses
    verification_evidence: Evidence | None = None
    stands_still: bool = False  # it waits at a gate: its time limit does not run on
    last_moment: datetime | None = None  # of the whole deployment; goes on at gates, too

    @property
    def is_over(self) -> bool:
        """Tell whether its time is over, or that of the whole deployment."""
        if self.last_moment is not None and self.now >= self.last_moment and not self.rolls_back:
            return True
        return self.now >= self.deadline and not self.stands_still

    @property
    def rolls_back(self) -> bool:
        """Tell whether this run restores an earlier revision."""
        return self.state in RESTORES
