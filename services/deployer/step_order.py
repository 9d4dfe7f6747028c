"""What a step is asked to do, and the answers it can give: values between the deployer and its targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from shared.events import Evidence, ProbeTarget, ProposedChanges, TestResults
from shared.ids import Commit, Digest, Pipeline, Stage
from shared.plan import StepPlan

Action = Literal["run", "apply", "switch", "discard"]


@dataclass(frozen=True, slots=True)
class StepOrder:
    """One action of one attempt of one step of one run."""

    pipeline: Pipeline
    stage: Stage
    run: UUID
    revision: int  # the revision whose artifacts and plan are deployed: for a rollback, the restored one
    commit: Commit
    branch: str  # empty for a tag
    tag: str  # empty for a branch
    step: StepPlan
    attempt: int  # from 1
    repository: str  # as people call it
    remote: str  # where its commits are had from
    artifacts: Mapping[str, Digest] = field(default_factory=dict)  # artifact id -> pinned digest

    @property
    def log(self) -> str:
        """Return the attempt whose lines are this step's output."""
        return f"{self.run}/{self.step.id}/{self.attempt}"

    @property
    def release(self) -> str:
        """Return the marker by which an answer can be told from another release's."""
        return str(self.run)


@dataclass(frozen=True, slots=True)
class Done:
    """It did what it is for."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    tests: TestResults | None = None  # of a test command


@dataclass(frozen=True, slots=True)
class Proposed:
    """It would make these changes, and makes them in `apply`, those and no others."""

    changes: ProposedChanges


@dataclass(frozen=True, slots=True)
class Launched:
    """A candidate is up beside the live release and waits to be verified."""

    targets: tuple[ProbeTarget, ...]


@dataclass(frozen=True, slots=True)
class Broke:
    """It did not do what it is for."""

    evidence: Evidence
    outputs: Mapping[str, str] = field(default_factory=dict)  # used if a person lets it pass all the same
    tests: TestResults | None = None  # of a test command


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was called off and nothing of it goes on."""

    unfinished: str = ""  # what had not happened by then; tells why its time was not enough


StepAnswer = Done | Proposed | Launched | Broke | Stopped
