"""The deployer's rows as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.deployer.gate import Given, given_from
from services.deployer.run_course import AWAITED, VerificationState
from services.deployer.run_state import UNSTARTED, WORKS, State
from services.deployer.stage_queue import Entry, Mode
from services.deployer.step_state import PROBED, StepState, StepTrigger
from shared.events import Evidence, ProbeTarget, ProposedChanges, TestResults, Wait
from shared.events.runs import RunKind

URGENT = frozenset({"rollback", "roll_forward"})  # kinds that a person asked for past the queue


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage of a pipeline."""

    key: str
    pipeline: str
    stage: str
    place: int
    target: str
    newest: Entry | None
    alarm: str = ""  # what rolls back what runs here while it fires
    queue: Mode = "newest"


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
    ready: bool  # came through the stage before: may wait here
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
    again_of: UUID | None = None  # a retry: the run that is tried again
    still_since: datetime | None = None  # it waits at a gate: its deadline stands still
    undo: bool = False  # an alarm ended it: whatever it had done is rolled back
    keeps: bool = False  # a retry: what succeeded in that run is not done again
    in_line: bool = False  # it is one of many that may wait

    def awaits(self, verification: UUID) -> bool:
        """Tell whether this verdict is still to come; one that comes too late changes nothing."""
        asked = self.verification == verification and self.verification_state in AWAITED
        return asked and self.state in WORKS

    @property
    def waits(self) -> bool:
        """Tell whether it waits for its stage's lock."""
        return self.ready and self.state in UNSTARTED and not self.is_urgent

    @property
    def is_withheld(self) -> bool:
        """Tell whether it is the first of its revision, which has not been let through yet."""
        first = self.kind == "deploy" and not self.comes_after
        return first and not self.ready and self.state in UNSTARTED

    @property
    def is_urgent(self) -> bool:
        """Tell whether it goes past the queue."""
        return self.kind in URGENT

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
    started_at: datetime | None = None
    waits_since: datetime | None = None  # it came to its gate after it ran
    given: tuple[Given, ...] = ()  # a gate: what people said there
    shown: Mapping[str, Any] = field(default_factory=dict)  # a gate: `tests` or `changes`, as JSON

    @property
    def tests(self) -> TestResults | None:
        """Return the results of a test command that failed, as they are shown."""
        return TestResults.model_validate(self.shown["tests"]) if "tests" in self.shown else None

    @property
    def changes(self) -> ProposedChanges | None:
        """Return the changes that it proposed."""
        return ProposedChanges.model_validate(self.shown["changes"]) if "changes" in self.shown else None

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
        again_of=row.again_of,
        still_since=row.still_since,
        undo=bool(row.undo),
        keeps=bool(row.keeps),
        in_line=bool(row.in_line),
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
        given=given_from(row.given or ()),
        shown=row.shown or {},
        started_at=row.started_at,
        waits_since=row.waits_since,
        evidence=_evidence(row.evidence),
        finished_at=row.finished_at,
    )


def stage_record(row: Any) -> StageRecord:
    """Read a row of `stages`."""
    newest = Entry(row.newest_run, row.newest_revision) if row.newest_run else None
    about = (row.key, row.pipeline, row.stage, row.place, row.target)
    return StageRecord(*about, newest, row.alarm or "", row.queue)


def _evidence(document: Any) -> Evidence | None:
    return Evidence.model_validate(document) if document else None
