"""What a transaction has read of rows that only it can change, kept as it changes them.

What it writes is not read again: to do so at every write made each event cost the length of a line as often
as it moved something. What is kept is exactly what a fresh read would find; the tests compare the two after
every write. Who was given a list before keeps it as it was: it may be going through it right now.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.deployer.records import RunRecord, StageRecord, StepRecord
from services.deployer.run_picture import ArtifactState
from services.deployer.run_state import TERMINAL
from shared.events import Evidence
from shared.plan import Plan


@dataclass(frozen=True, slots=True)
class Revision:
    """A planned revision."""

    revision: int
    commit: str
    plan_hash: str
    plan: Plan
    pusher: str = ""  # who asked for it
    deadline_at: datetime | None = None  # of its whole way through the stages, once it has begun


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """An artifact of a revision."""

    artifact: str
    state: ArtifactState
    digest: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, by pipeline, revision or run."""

    locked: set[str] = field(default_factory=set)  # pipelines
    stages: dict[str, Sequence[StageRecord]] = field(default_factory=dict)
    revisions: dict[tuple[str, int], Revision] = field(default_factory=dict)
    moments: dict[tuple[str, int], datetime | None] = field(default_factory=dict)  # their `deadline_at`
    artifacts: dict[tuple[str, int], Mapping[str, ArtifactRecord]] = field(default_factory=dict)
    open_runs: dict[str, Sequence[RunRecord]] = field(default_factory=dict)  # in their order
    steps: dict[UUID, Mapping[str, StepRecord]] = field(default_factory=dict)

    def open_run(self, run: UUID) -> RunRecord | None:
        """Return a run that is known to be open."""
        return next((each for runs in self.open_runs.values() for each in runs if each.run == run), None)

    def note_revision(self, pipeline: str, revision: Revision) -> None:
        """Keep a revision."""
        self.revisions[pipeline, revision.revision] = revision
        self.moments[pipeline, revision.revision] = revision.deadline_at


def in_order(runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return open runs the oldest revision first; sorted here, or SQLite reads all that are over as well."""
    return sorted(runs, key=_place)


def with_run(runs: Sequence[RunRecord], run: RunRecord) -> Sequence[RunRecord]:
    """Return open runs with this one as it now is: in its place, or not among them when it is over."""
    at = bisect_left(runs, _place(run), key=_place)
    after = at + 1 if at < len(runs) and runs[at].run == run.run else at
    return [*runs[:at], *([] if run.state in TERMINAL else [run]), *runs[after:]]


def _place(run: RunRecord) -> tuple[int, UUID]:
    return run.revision, run.run
