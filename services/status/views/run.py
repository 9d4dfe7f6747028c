"""The documents of runs: steps, waits, verifications, failures, and the timeline."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.status.views.gate import GateView, HeldDefinition
from services.status.views.stage import ROLLBACK_TOLD, RollbackByItself
from services.status.views.verification import VerificationView
from services.status.views.view import View
from shared.events import Confidence, Diagnostics, Evidence, ProposedChanges, TestResults, Wait


class StepView(View):
    """A step of a run: a node of its graph."""

    step: str = Field(description="Its id")
    name: str = Field("", description="Its name in the pipeline file")
    type: str = Field("", description="Its type", examples=["SCRIPT:EXECUTE"])
    goes_after: tuple[str, ...] | None = Field(
        None, description="Ids of the steps it begins after: the graph's edges; null: not known"
    )
    state: str = Field(
        "Not Started",
        description="Not Started, In Progress, Waiting (at a gate), Applying (what it proposed), Backing Off "
        "(between two attempts), Succeeded, Failed, Timed Out, Cancelled or Skipped",
    )
    since: datetime | None = Field(None, description="Since when it is in that state")
    attempt: int = Field(0, description="The attempt, from 1; 0: it never ran")
    next_attempt_at: datetime | None = Field(
        None, description="It failed in a way that may pass: when it is attempted again"
    )
    log: str = Field("", description="The last attempt's output: /api/v1/logs/{log}")
    started_at: datetime | None = Field(None, description="When the last attempt began")
    finished_at: datetime | None = Field(None, description="When it ended")
    duration_seconds: float | None = Field(None, description="Of the last attempt, its waiting included")
    running_seconds: float = Field(0, description="What it worked, in all attempts, until `since`")
    waiting_seconds: float = Field(
        0, description="What it stood at a gate or between attempts, in all, until `since`"
    )
    outputs: dict[str, str] = Field(default_factory=dict, description="What later steps may use of it")
    reason: str = Field("", description="Why it was skipped or cancelled")
    evidence: Evidence | None = Field(None, description="What was observed when it failed")
    kept_of: UUID | None = Field(
        None, description="A retry: the run in which it succeeded; it is not done again"
    )
    tests: TestResults | None = Field(None, description="What its tests came to, in the last attempt")
    applies: ProposedChanges | None = Field(None, description="The changes that it was let make")
    gate: GateView | None = Field(None, description="While it is Waiting, and afterwards")


class WaitSpan(View):
    """Something that a run waited for, and how long."""

    wait: Wait = Field(description="Why, on what, what ends it")
    until: datetime | None = Field(description="When that was over; null: it is not")
    seconds: float | None = Field(description="How long; null: it is not over")


class EvidenceLineView(View):
    """A line that a failure's name rests on."""

    line: int | None = Field(
        description="Its number in the whole log, from 1; null: it is no line of the log"
    )
    text: str = Field(description="What it says")


class FixView(View):
    """What to do about a failure."""

    check: tuple[str, ...] = Field((), description="What to look at, most likely first")
    commands: tuple[str, ...] = Field((), description="Commands worth trying, ready to be copied")
    done_when: str = Field("", description="How to know that it worked")


class FailureView(View):
    """What a failure is, and what to try."""

    failure_stage: str = Field(description="Where it happened, in the fixed words", examples=["deploy"])
    category: str = Field(description="What kind it is", examples=["startup_failure"])
    code: str = Field(description="Its code", examples=["DEPLOYMENT_FAILED_GENERIC"])
    retryable: bool = Field(description="Whether it may pass by itself")
    rule: str = Field(description="The rule that says so")
    likely_cause: str = Field(description="The likely cause, in a sentence")
    lines: tuple[str, ...] = Field(description="The lines that tell it")
    commands: tuple[str, ...] = Field(description="What to try: the commands of `fix`")
    confidence: Confidence = Field(
        "likely",
        description="certain: typed facts, or the failing tool's last word, say it; likely: a line says it; "
        "guess: only how it ended is known",
    )
    evidence: tuple[EvidenceLineView, ...] = Field((), description="The lines again, with their numbers")
    fix: FixView = Field(FixView(), description="What to check, what to run, how to know that it worked")
    rolled_back: bool = Field(
        default=False, description="The stage goes back to an earlier revision by itself"
    )
    follows: str = Field("", description="What follows from it, in a sentence")
    diagnostics: Diagnostics | None = Field(
        None, description="What was found on the target at that moment; its output is with the run's evidence"
    )


class Moment(View):
    """One entry of a run's timeline."""

    at: datetime = Field(description="When")
    what: str = Field(description="The event's type in short", examples=["step.started"])
    text: str = Field(description="The same in a sentence")
    step: str = Field("", description="The step that it is about; empty: the run")


class RunView(View):
    """A run and everything that happened in it."""

    run: UUID = Field(description="Its id")
    pipeline: str = Field(description="Its pipeline")
    stage: str = Field(description="Its stage")
    revision: int = Field(description="The revision that it brings")
    kind: str = Field(description="deploy, retry, rollback or roll_forward")
    commit: str = Field(description="The revision's commit")
    plan_hash: str = Field(description="The plan that it carries out")
    state: str = Field(description="Its state, in the fixed words")
    final: bool = Field(default=False, description="Whether that never changes any more")
    place: int = Field(0, description="Among the runs of its stage")
    queued_at: datetime = Field(description="When it came to be")
    started_at: datetime | None = Field(None, description="When it got hold of the stage")
    finished_at: datetime | None = Field(None, description="When it ended")
    deadline: datetime | None = Field(
        None, description="When its time is over; it stands still while the run stands at a gate"
    )
    queued_seconds: float | None = Field(None, description="From `queued_at` until it started, or ended")
    waiting_seconds: float = Field(0, description="What it waited since it started, without the wait now")
    running_seconds: float | None = Field(
        None, description="From start to end without what it waited; null until it ends, or if it never began"
    )
    wait: Wait | None = Field(None, description="What it waits for now; null: nothing")
    waits: tuple[WaitSpan, ...] = Field((), description="All that it waited for, in order, that one included")
    restores: int | None = Field(None, description="A rollback: the revision that it brings back")
    rolls_back: UUID | None = Field(None, description="A rollback: the run that made it necessary")
    retries: UUID | None = Field(None, description="A retry: the run that is tried again")
    asked_by: str = Field("", description="Who asked for it; empty: it came by itself")
    asked_reason: str = Field("", description="Why they did")
    superseded_by_run: UUID | None = Field(None, description="The run that took its place")
    superseded_by_revision: int | None = Field(None, description="That run's revision")
    actor: str = Field("", description="Who cancelled it")
    reason: str = Field("", description="Why they did")
    definition: HeldDefinition | None = Field(
        None, description="Changes of the pipeline file that it waits, or waited, for somebody to approve"
    )
    rollback: RollbackByItself = Field("", description=ROLLBACK_TOLD)
    urls: dict[str, str] = Field(default_factory=dict, description="Stable URLs, by service")
    steps: tuple[StepView, ...] = Field((), description="Its steps, in the order of the plan")
    verifications: tuple[VerificationView, ...] = Field((), description="What was verified, in order")
    evidence: Evidence | None = Field(None, description="What was observed when it failed")
    failure: FailureView | None = Field(None, description="What that failure is, and what to try")
    timeline: tuple[Moment, ...] = Field((), description="What happened, in order; of a long story the end")


class _Said(View):
    message: str


class _Named(View):
    code: str


class RunInShort(View):
    """What lists tell of a run, from the same document: they pass over its story, which is most of it."""

    run: UUID
    pipeline: str
    stage: str
    revision: int
    kind: str
    commit: str
    state: str
    final: bool = False
    place: int = 0
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline: datetime | None = None
    queued_seconds: float | None = None
    waiting_seconds: float = 0
    running_seconds: float | None = None
    wait: Wait | None = None
    restores: int | None = None
    rolls_back: UUID | None = None
    retries: UUID | None = None
    asked_by: str = ""
    asked_reason: str = ""
    superseded_by_run: UUID | None = None
    superseded_by_revision: int | None = None
    actor: str = ""
    reason: str = ""
    rollback: RollbackByItself = ""
    evidence: _Said | None = None
    failure: _Named | None = None
