"""The deployer's rows as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.deployer.run_course import AWAITED, VerificationState
from services.deployer.run_state import WORKS, State
from services.deployer.stage_queue import Entry
from services.deployer.step_state import PROBED, StepState, StepTrigger
from shared.events import Evidence, ProbeTarget, Wait
from shared.events.runs import RunKind


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage of a pipeline."""

    key: str
    pipeline: str
    stage: str
    place: int
    target: str
    newest: Entry | None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run."""

    run: UUID
    pipeline: str
    stage: str
    stage_key: str
    revision: int
    kind: RunKind
    state: State
    ready: bool
    comes_after: str  # the key of the stage before this one in its own plan; empty: there is none
    wait: Wait | None
    version: int
    created_at: datetime
    deadline_at: datetime | None
    verification: UUID | None
    verification_state: VerificationState
    verification_evidence: Evidence | None
    cancel_actor: str
    cancel_reason: str

    def awaits(self, verification: UUID) -> bool:
        """Tell whether this verdict is still to come; one that comes too late changes nothing."""
        asked = self.verification == verification and self.verification_state in AWAITED
        return asked and self.state in WORKS

    @property
    def entry(self) -> Entry:
        """Return the run as the queue sees it."""
        return Entry(self.run, self.revision)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run."""

    run: UUID
    step: str
    state: StepState
    attempt: int
    deadline_at: datetime | None
    targets: tuple[ProbeTarget, ...]
    verification: UUID | None
    verification_state: VerificationState
    outcome: StepTrigger | None
    outcome_reason: str
    outputs: dict[str, str]
    evidence: Evidence | None
    finished_at: datetime | None

    def awaits(self, verification: UUID) -> bool:
        """Tell whether this verdict is still to come; one that comes too late changes nothing."""
        asked = self.verification == verification and self.verification_state in AWAITED
        return asked and self.state in PROBED


def run_record(row: Any) -> RunRecord:
    """Read a row of `runs`."""
    return RunRecord(
        run=row.run,
        pipeline=row.pipeline,
        stage=row.stage,
        stage_key=row.stage_key,
        revision=row.revision,
        kind=row.kind,
        state=State(row.state),
        ready=row.ready,
        comes_after=row.comes_after or "",
        wait=Wait.model_validate(row.wait) if row.wait else None,
        version=row.version,
        created_at=row.created_at,
        deadline_at=row.deadline_at,
        verification=row.verification,
        verification_state=VerificationState(row.verification_state),
        verification_evidence=_evidence(row.verification_evidence),
        cancel_actor=row.cancel_actor or "",
        cancel_reason=row.cancel_reason or "",
    )


def step_record(row: Any) -> StepRecord:
    """Read a row of `steps`."""
    return StepRecord(
        run=row.run,
        step=row.step,
        state=StepState(row.state),
        attempt=row.attempt,
        deadline_at=row.deadline_at,
        targets=tuple(ProbeTarget.model_validate(target) for target in row.targets or ()),
        verification=row.verification,
        verification_state=VerificationState(row.verification_state),
        outcome=StepTrigger(row.outcome) if row.outcome else None,
        outcome_reason=row.outcome_reason or "",
        outputs=row.outputs or {},
        evidence=_evidence(row.evidence),
        finished_at=row.finished_at,
    )


def stage_record(row: Any) -> StageRecord:
    """Read a row of `stages`."""
    newest = Entry(row.newest_run, row.newest_revision) if row.newest_run else None
    return StageRecord(row.key, row.pipeline, row.stage, row.place, row.target, newest)


def _evidence(document: Any) -> Evidence | None:
    return Evidence.model_validate(document) if document else None
