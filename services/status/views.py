"""The documents of the read model; also what the API answers with, so their fields are a contract."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events import Evidence, Wait
from shared.plan import Problem

DeploymentStatus = Literal["pending", "deploying", "running", "failed", "degraded", "unreachable", "paused"]
Answer = Literal["pending", "accepted", "refused"]


class View(BaseModel):
    """A document folded from events; unknown fields of an older one are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PushView(View):
    """What arrived."""

    push: UUID
    repository: str
    branch: str  # empty for a tag
    tag: str = ""
    commit: str | None
    trigger: str
    pipeline: str | None
    pusher: str
    reason: str
    received_at: datetime
    place: int = 0  # among the pushes of its repository
    refused_code: str = ""  # empty: it was not refused as a whole
    refused_message: str = ""
    refused_evidence: Evidence | None = None
    proposal: str = ""  # a pipeline file for what lies in a repository that has none


class DecisionView(View):
    """What one pipeline made of a push."""

    push: UUID
    pipeline: str
    branch: str = ""  # empty for a tag, and where it was decided before this was kept
    tag: str = ""
    commit: str
    at: datetime
    decision: Literal["planned", "rejected", "skipped"]
    revision: int | None = None  # planned: the new one; skipped: the one that has the commit already
    reason: str = ""
    message: str = ""
    problems: tuple[Problem, ...] = ()


class PipelineView(View):
    """What is known of a pipeline beyond its stages."""

    pipeline: str
    repository: str
    branch: str  # the newest revision's, or before a tag's; empty: only tags were deployed
    tag: str = ""  # the newest revision's
    since: datetime
    stages: tuple[str, ...] = ()  # of the newest plan, in promotion order
    newest_revision: int | None = None
    newest_commit: str = ""
    newest_title: str = ""
    rejected: DecisionView | None = None  # the newest push, if its pipeline file has problems
    skipped: DecisionView | None = None  # the newest push, if it needed no revision


class PlannedArtifact(View):
    """An artifact of a plan."""

    id: str
    name: str
    build_key: str


class PlannedStep(View):
    """A step of a plan."""

    id: str
    name: str
    type: str


class PlannedStage(View):
    """A stage of a plan."""

    name: str
    target: str
    steps: tuple[PlannedStep, ...]


class RevisionView(View):
    """A revision and its plan in short."""

    pipeline: str
    revision: int
    repository: str
    branch: str  # empty for a tag
    tag: str = ""
    commit: str
    title: str
    author: str
    pusher: str
    trigger: str
    push: UUID
    plan_hash: str
    received_at: datetime
    planned_at: datetime
    artifacts: tuple[PlannedArtifact, ...]
    stages: tuple[PlannedStage, ...]


class Slot(View):
    """A run in a stage that is not over."""

    run: UUID
    revision: int
    kind: str
    commit: str
    state: str
    since: datetime  # in this state
    wait: Wait | None = None
    deadline: datetime | None = None
    restores: int | None = None
    asked_by: str = ""  # empty: it came by itself


class Live(View):
    """What is in place in a stage."""

    revision: int
    run: UUID
    commit: str
    urls: dict[str, str]
    since: datetime


class Ended(View):
    """The last run that was over."""

    run: UUID
    revision: int
    kind: str
    state: str
    at: datetime
    message: str = ""


class Hold(View):
    """A revision kept out of the stage."""

    revision: int
    reason: str
    since: datetime


class Stop(View):
    """A person keeps a stage, or all of its pipeline, from beginning anything."""

    actor: str
    reason: str
    since: datetime
    whole_pipeline: bool = False


class Blocked(View):
    """Something that has to be over before the stage begins a run again."""

    name: str  # "alarm shop-5xx"
    reason: str
    since: datetime
    released_by: str
    ends_at: datetime | None = None  # it is over, and keeps the stage closed until then all the same


class WindowOverride(View):
    """A person lets a stage begin runs until then, whatever its window says."""

    until: datetime
    actor: str
    reason: str
    since: datetime


class StageView(View):
    """A stage as it stands."""

    pipeline: str
    stage: str
    place: int = 0
    target: str = ""
    status: DeploymentStatus = "pending"
    running: Slot | None = None
    waiting: tuple[Slot, ...] = ()
    live: Live | None = None
    last: Ended | None = None
    holds: tuple[Hold, ...] = ()
    stops: tuple[Stop, ...] = ()  # its own before that of the whole pipeline
    blockers: tuple[Blocked, ...] = ()  # the one that came last at the end
    window_override: WindowOverride | None = None


class GateAnswer(View):
    """What one person said at a gate."""

    actor: str
    verdict: Literal["approved", "rejected"]
    comment: str
    at: datetime


class GateView(View):
    """A step at which the run waits for people or for a time."""

    wait: Wait
    needed: int  # different people who must approve; 0: it is a time that is waited for
    approvers: tuple[str, ...]  # who may; empty: whoever may act on the stage
    shown: str  # to be given back when approving: the digest of the plan and the artifacts
    plan_hash: str
    artifacts: dict[str, str]  # id -> digest
    answers: tuple[GateAnswer, ...] = ()


class StepView(View):
    """A step of a run."""

    step: str
    name: str = ""
    type: str = ""
    state: str = "Not Started"
    attempt: int = 0
    next_attempt_at: datetime | None = None  # it failed in a way that may pass
    log: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    outputs: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    evidence: Evidence | None = None
    kept_of: UUID | None = None  # a retry: the run in which it succeeded; it is not done again
    gate: GateView | None = None  # as long as the step is Waiting, and afterwards


class VerificationView(View):
    """Whether something deployed was found good."""

    verification: UUID
    step: str  # empty: the run's stable URLs
    asked_at: datetime
    answered_at: datetime | None = None
    passed: bool | None = None
    urls: tuple[str, ...] = ()
    probes: int = 0
    evidence: Evidence | None = None


class FailureView(View):
    """What a failure is, and what to try."""

    failure_stage: str
    category: str
    code: str
    retryable: bool
    rule: str
    likely_cause: str
    lines: tuple[str, ...]
    commands: tuple[str, ...]


class Moment(View):
    """One entry of a run's timeline."""

    at: datetime
    what: str  # the event's type in short
    text: str


class RunView(View):
    """A run and everything that happened in it."""

    run: UUID
    pipeline: str
    stage: str
    revision: int
    kind: str
    commit: str
    plan_hash: str
    state: str
    final: bool = False
    place: int = 0  # among the runs of its stage
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline: datetime | None = None
    wait: Wait | None = None
    restores: int | None = None
    rolls_back: UUID | None = None
    retries: UUID | None = None  # the run that is tried again
    asked_by: str = ""  # empty: it came by itself
    asked_reason: str = ""
    superseded_by_run: UUID | None = None
    superseded_by_revision: int | None = None
    actor: str = ""  # who cancelled it
    reason: str = ""
    urls: dict[str, str] = Field(default_factory=dict)
    steps: tuple[StepView, ...] = ()
    verifications: tuple[VerificationView, ...] = ()
    evidence: Evidence | None = None
    failure: FailureView | None = None
    timeline: tuple[Moment, ...] = ()


class BuildView(View):
    """A request for an artifact and its answer."""

    request: UUID
    build_key: str
    pipeline: str
    revision: int
    artifact: str
    requested_at: datetime
    answer: Literal["pending", "built", "reused", "failed"] = "pending"
    answered_at: datetime | None = None
    digest: str = ""
    size_bytes: int | None = None
    built_by: int | None = None  # the revision whose build made it
    duration_seconds: float | None = None
    log: str = ""
    evidence: Evidence | None = None


class LogView(View):
    """An attempt's output, without its lines."""

    log: str
    pipeline: str
    revision: int
    stage: str
    what: str
    since: datetime
    lines: int = 0
    closed: bool = False


class OperationView(View):
    """Something a person asked for, and the answer."""

    operation: UUID
    kind: str
    pipeline: str
    stage: str  # `*`: the whole pipeline
    run: UUID | None
    actor: str
    reason: str
    asked_at: datetime
    revision: int | None = None
    from_failed_step: bool = False
    until: datetime | None = None
    dry_run: bool = False
    step: str = ""  # approve, reject: which gate
    answer: Answer = "pending"
    answered_at: datetime | None = None
    message: str = ""  # what happens, or why nothing does and what is possible instead
    started: UUID | None = None  # the run that it made

    @property
    def is_answered(self) -> bool:
        """Tell whether it was decided upon."""
        return self.answer != "pending"
