"""The deployer's rows as frozen values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from services.deployer.gate import Given, given_from
from services.deployer.run_picture import AWAITED, VerificationState
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
    in_plan: bool = True  # the newest plan that was let through has it


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
    wait_said: Mapping[str, Any] | None  # as JSON: hundreds in a line are compared, and few looked at
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
    ended_along: bool = False  # unbegun, with the run before it: it comes back with that one
    soaks_until: datetime | None = None  # what it deployed met its criteria and is watched until then
    asked_by: str = ""  # the person who asked for it; empty: it came by itself

    def awaits(self, verification: UUID) -> bool:
        """Tell whether this verdict is still to come; one that comes too late changes nothing."""
        asked = self.verification == verification and self.verification_state in AWAITED
        return asked and self.state in WORKS

    @property
    def wait(self) -> Wait | None:
        """Return what it waits for, as it was said last."""
        return Wait.model_validate(self.wait_said) if self.wait_said else None

    @property
    def waits(self) -> bool:
        """Tell whether it waits for its stage's lock."""
        return self.ready and self.state in UNSTARTED and not self.is_urgent

    @property
    def has_begun(self) -> bool:
        """Tell whether it ever held the lock: its limit is counted from then."""
        return self.deadline_at is not None

    @property
    def is_withheld(self) -> bool:
        """Tell whether it is the first of its revision, which has not been let through yet."""
        first = self.kind in {"deploy", "retry"} and not self.comes_after
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
    return run_records([row])[0]


def run_records(rows: Sequence[Any]) -> list[RunRecord]:
    """Read rows of `runs` of one result, of which there may be hundreds."""
    records: list[RunRecord] = []
    if not rows:
        return records
    pick = itemgetter(*map(rows[0]._fields.index, _RUN))
    reads = [(place, read) for place, (_, read) in enumerate(_RUN.values()) if read is not _as_is]
    for row in rows:
        values = [*pick(row)]
        for place, read in reads:
            values[place] = read(values[place])
        records.append(RunRecord(*values))
    return records


def changed_run(run: RunRecord, values: Mapping[str, Any]) -> RunRecord:
    """Return a run whose row was written these columns."""
    return replace(run, **_changed(_RUN, values))


def step_record(row: Any) -> StepRecord:
    """Read a row of `steps`."""
    return StepRecord(*[read(getattr(row, column)) for column, (_, read) in _STEP.items()])


def changed_step(step: StepRecord, values: Mapping[str, Any]) -> StepRecord:
    """Return a step whose row was written these columns."""
    return replace(step, **_changed(_STEP, values))


def stage_record(row: Any) -> StageRecord:
    """Read a row of `stages`."""
    newest = Entry(row.newest_run, row.newest_revision) if row.newest_run else None
    about = (row.key, row.pipeline, row.stage, row.place, row.target)
    return StageRecord(*about, newest, row.alarm or "", row.queue, row.in_plan)


def _evidence(document: Any) -> Evidence | None:
    return Evidence.model_validate(document) if document else None


def _text(value: str | None) -> str:
    return value or ""


def _as_is(value: Any) -> Any:
    return value


def _targets(documents: Any) -> tuple[ProbeTarget, ...]:
    return tuple(ProbeTarget.model_validate(each) for each in documents or ())


_Columns = Mapping[str, tuple[str, Callable[[Any], Any]]]


def _columns(record: type, read: Mapping[str, Callable[[Any], Any]]) -> _Columns:
    """Return by column, in the order of the record's fields, which field it is and how it is read."""
    named = {"wait_said": "wait"}
    columns = [(named.get(each.name, each.name), each.name) for each in fields(record)]
    return {column: (name, read.get(column, _as_is)) for column, name in columns}


def _changed(columns: _Columns, values: Mapping[str, Any]) -> Mapping[str, Any]:
    known = [(*columns[column], value) for column, value in values.items() if column in columns]
    return {name: read(value) for name, read, value in known}


_RUN = _columns(
    RunRecord,
    {
        "state": State,
        "comes_after": _text,
        "verification_state": VerificationState,
        "verification_evidence": _evidence,
        "asked_by": _text,
        "cancel_actor": _text,
        "cancel_reason": _text,
        "undo": bool,
        "keeps": bool,
        "in_line": bool,
        "ended_along": bool,
    },
)
_STEP = _columns(
    StepRecord,
    {
        "state": StepState,
        "targets": _targets,
        "verification_state": VerificationState,
        "outcome": lambda value: StepTrigger(value) if value else None,
        "outcome_reason": _text,
        "outputs": lambda value: value or {},
        "evidence": _evidence,
        "given": lambda value: given_from(value or ()),
        "shown": lambda value: value or {},
    },
)
