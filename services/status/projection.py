"""The projection: which views an event changes, and how. Pure, and the same for live and rebuild (L3).

A row is fed by one key only, whose events are heard in order, so the order in which keys are heard does
not matter. Whoever folds gives each event once: the histories know which they have. Positions are not
compared, for a key's partition changes when topics grow or are made anew. What was put aside and is
handed over again comes late: it is kept in the history, and changes no view that has gone on meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.status import (
    health_view,
    other_view,
    pipeline_view,
    run_view,
    stage_view,
    step_view,
    verification_view,
)
from services.status.views import (
    BuildView,
    DecisionView,
    HealthHistory,
    LogView,
    OperationView,
    PipelineView,
    PushView,
    RevisionView,
    RunView,
    StageView,
    VerificationStory,
    View,
)
from shared import events
from shared.delivery import MessageDied
from shared.events import Event, Message
from shared.ids import stage_key

TOLD_LATE = 0  # the position of a message that does not come from the bus but from a dead letter


class Kind(StrEnum):
    """What there are views of."""

    PUSH = "push"
    DECISION = "decision"
    PIPELINE = "pipeline"
    REVISION = "revision"
    STAGE = "stage"
    RUN = "run"
    VERIFICATION = "verification"
    HEALTH = "health"
    BUILD = "build"
    LOG = "log"
    OPERATION = "operation"

    __hash__ = str.__hash__  # in C, where an enum's own is not: half of all look-ups are for a kind


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a view is found besides under its key; never changes over its life."""

    scope: str  # what it is listed under
    about: str  # what else it is found by
    number: int  # its place in either list


@dataclass(frozen=True, slots=True)
class ViewType:
    """One kind of view."""

    model: type[View]
    listing: Callable[[Any], Listing]


def _at(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000)


def revision_key(pipeline: str, revision: int) -> str:
    """Return the key of a revision, which is also the correlation of all its events."""
    return f"{pipeline}@{revision}"


def health_key(pipeline: str, stage: str, service: str) -> str:
    """Return the key of how a service of a stage did."""
    return f"{stage_key(pipeline, stage)} {service}"


VIEW_TYPES: dict[Kind, ViewType] = {
    Kind.PUSH: ViewType(PushView, lambda v: Listing(v.repository, "", v.place)),
    Kind.DECISION: ViewType(DecisionView, lambda v: Listing(str(v.push), v.commit, _at(v.at))),
    Kind.PIPELINE: ViewType(PipelineView, lambda v: Listing("", "", _at(v.since))),
    Kind.REVISION: ViewType(RevisionView, lambda v: Listing(v.pipeline, v.commit, v.revision)),
    Kind.STAGE: ViewType(StageView, lambda v: Listing(v.pipeline, "", 0)),
    Kind.RUN: ViewType(
        RunView,
        lambda v: Listing(f"{v.pipeline}/{v.stage}", revision_key(v.pipeline, v.revision), v.place),
    ),
    Kind.VERIFICATION: ViewType(VerificationStory, lambda v: Listing(str(v.run), "", _at(v.asked_at))),
    Kind.HEALTH: ViewType(
        HealthHistory, lambda v: Listing(stage_key(v.pipeline, v.stage), v.service, _at(v.since))
    ),
    Kind.BUILD: ViewType(
        BuildView, lambda v: Listing(revision_key(v.pipeline, v.revision), v.build_key, _at(v.requested_at))
    ),
    Kind.LOG: ViewType(
        LogView, lambda v: Listing(revision_key(v.pipeline, v.revision), v.stage, _at(v.since))
    ),
    Kind.OPERATION: ViewType(
        OperationView, lambda v: Listing(f"{v.pipeline}/{v.stage}", "", _at(v.asked_at))
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A view that an event changes."""

    kind: Kind
    key: Callable[[Any], str]  # of the body
    fold: Callable[[Any, Message[Any]], View | None]  # None: there is nothing to change


def _push(body: Any) -> str:
    return str(body.push)


def _decision(body: Any) -> str:
    return f"{body.push} {body.pipeline}"


def _revision(body: Any) -> str:
    return revision_key(body.pipeline, body.revision)


def _key(body: Any) -> str:
    return str(body.key)


def _run(body: Any) -> str:
    return str(body.run)


def _request(body: Any) -> str:
    return str(body.request)


def _operation(body: Any) -> str:
    return str(body.operation)


def _verification(body: Any) -> str:
    return str(body.verification)


def _service(body: Any) -> str:
    return health_key(body.pipeline, body.stage, body.service)


def _in_run(fold: Callable[[Any, Message[Any]], View | None]) -> Target:
    """Fold into a run until it is over: what is still heard of it then changes nothing of it (S2)."""

    def open_only(view: RunView | None, message: Message[Any]) -> View | None:
        return None if view is not None and view.final else fold(view, message)

    return Target(Kind.RUN, _run, open_only)


def _in_stage(fold: Callable[[Any, Message[Any]], View | None]) -> Target:
    return Target(Kind.STAGE, _key, fold)


def _in_full(fold: Callable[[Any, Message[Any]], View | None]) -> Target:
    return Target(Kind.VERIFICATION, _verification, fold)


def _in_health(fold: Callable[[Any, Message[Any]], View | None]) -> Target:
    return Target(Kind.HEALTH, _service, fold)


def _decided() -> Target:
    return Target(Kind.DECISION, _decision, pipeline_view.decided)


TARGETS: Mapping[type[Event], tuple[Target, ...]] = {
    events.PushReceived: (Target(Kind.PUSH, _push, pipeline_view.push_received),),
    events.PushRefused: (Target(Kind.PUSH, _push, pipeline_view.push_refused),),
    events.RevisionPlanned: (
        _decided(),
        Target(Kind.REVISION, _revision, pipeline_view.revision_planned),
        Target(Kind.PIPELINE, _key, pipeline_view.newest_planned),
    ),
    events.PlanRejected: (_decided(), Target(Kind.PIPELINE, _key, pipeline_view.newest_rejected)),
    events.RevisionSkipped: (_decided(), Target(Kind.PIPELINE, _key, pipeline_view.newest_skipped)),
    events.BuildRequested: (Target(Kind.BUILD, _request, other_view.build_requested),),
    events.BuildBackingOff: (Target(Kind.BUILD, _request, other_view.build_backing_off),),
    events.ArtifactBuilt: (Target(Kind.BUILD, _request, other_view.artifact_built),),
    events.ArtifactFailed: (Target(Kind.BUILD, _request, other_view.artifact_failed),),
    events.LogAppended: (Target(Kind.LOG, _key, other_view.log_appended),),
    events.OperationRequested: (Target(Kind.OPERATION, _operation, other_view.operation_requested),),
    events.OperationAccepted: (Target(Kind.OPERATION, _operation, other_view.operation_accepted),),
    events.OperationRefused: (Target(Kind.OPERATION, _operation, other_view.operation_refused),),
    events.StageDeclared: (_in_stage(stage_view.declared),),
    events.StageHeld: (_in_stage(stage_view.held),),
    events.HoldReleased: (_in_stage(stage_view.hold_released),),
    events.StageBlocked: (_in_stage(stage_view.blocked),),
    events.BlockerLifted: (_in_stage(stage_view.blocker_lifted),),
    events.AlarmChanged: (),  # for the history; what it does to a stage is said there
    events.StageStopped: (_in_stage(stage_view.stopped),),
    events.StageResumed: (_in_stage(stage_view.resumed),),
    events.WindowOverridden: (_in_stage(stage_view.window_overridden),),
    events.RunQueued: (_in_stage(stage_view.queued), _in_run(run_view.queued)),
    events.RunWaiting: (_in_stage(stage_view.waiting), _in_run(run_view.waiting)),
    events.RunStarted: (_in_stage(stage_view.started), _in_run(run_view.started)),
    events.RunRollingBack: (_in_stage(stage_view.started), _in_run(run_view.started)),
    events.RunRollingForward: (_in_stage(stage_view.started), _in_run(run_view.started)),
    events.RunCancelling: (_in_stage(stage_view.cancelling), _in_run(run_view.cancelling)),
    events.RunSucceeded: (_in_stage(stage_view.succeeded), _in_run(run_view.succeeded)),
    events.RunFailed: (_in_stage(stage_view.failed), _in_run(run_view.failed)),
    events.RunTimedOut: (_in_stage(stage_view.failed), _in_run(run_view.failed)),
    events.RunCancelled: (_in_stage(stage_view.cancelled), _in_run(run_view.cancelled)),
    events.RunSuperseded: (_in_stage(stage_view.superseded), _in_run(run_view.superseded)),
    events.DefinitionHeld: (_in_stage(stage_view.definition_held), _in_run(run_view.definition_held)),
    events.DefinitionAnswered: (
        _in_stage(stage_view.definition_answered),
        _in_run(run_view.definition_answered),
    ),
    events.StepStarted: (_in_stage(stage_view.gate_left), _in_run(step_view.step_started)),
    events.StepTested: (_in_stage(stage_view.tested), _in_run(step_view.step_tested)),
    events.StepWaiting: (_in_stage(stage_view.gate_opened), _in_run(step_view.step_waiting)),
    events.GateAnswered: (_in_stage(stage_view.gate_answered), _in_run(step_view.gate_answered)),
    events.StepApplying: (_in_stage(stage_view.gate_left), _in_run(step_view.step_applying)),
    events.StepSucceeded: (_in_stage(stage_view.gate_left), _in_run(step_view.step_succeeded)),
    events.StepFailed: (_in_stage(stage_view.gate_left), _in_run(step_view.step_failed)),
    events.StepCancelled: (_in_stage(stage_view.gate_left), _in_run(step_view.step_cancelled)),
    events.StepTimedOut: (_in_stage(stage_view.gate_left), _in_run(step_view.step_timed_out)),
    events.StepSkipped: (_in_run(step_view.step_skipped),),
    events.StepKept: (_in_run(step_view.step_kept),),
    events.AttemptFailed: (_in_run(step_view.attempt_failed),),
    events.AttemptClassified: (_in_run(step_view.attempt_classified),),
    events.StepBackingOff: (_in_run(step_view.step_backing_off),),
    events.VerificationRequested: (
        _in_stage(verification_view.requested_in_stage),
        _in_run(verification_view.requested_in_run),
        _in_full(verification_view.requested),
    ),
    events.VerificationProbed: (
        _in_stage(verification_view.probed_in_stage),
        _in_run(verification_view.probed_in_run),
        _in_full(verification_view.probed),
    ),
    events.VerificationPassed: (
        _in_stage(verification_view.answered_in_stage),
        _in_run(verification_view.passed_in_run),
        _in_full(verification_view.passed),
    ),
    events.VerificationFailed: (
        _in_stage(verification_view.answered_in_stage),
        _in_run(verification_view.failed_in_run),
        _in_full(verification_view.failed),
    ),
    events.HealthChanged: (_in_stage(health_view.changed), _in_health(health_view.history_changed)),
    events.HealthSampled: (_in_stage(health_view.sampled), _in_health(health_view.history_sampled)),
    events.HealthEnded: (_in_stage(health_view.ended), _in_health(health_view.history_ended)),
    events.FailureClassified: (Target(Kind.RUN, _run, run_view.classified),),  # said once it is over
    MessageDied: (),  # for the history; the letters themselves are kept by shared/dead_letters
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A view with the position of the last message folded into it."""

    view: View
    position: int


Row = tuple[Kind, str]  # a view's kind and key


def touched(body: Event) -> Iterator[tuple[Row, Target]]:
    """Yield which views an event changes."""
    for target in TARGETS.get(type(body), ()):
        yield (target.kind, target.key(body)), target


def rows_of(messages: Iterable[Message[Event]]) -> set[Row]:
    """Return which views they may change."""
    return {
        (target.kind, target.key(message.body))
        for message in messages
        for target in TARGETS.get(type(message.body), ())
    }


def fold(views: Mapping[Row, Placed], messages: Iterable[Message[Event]]) -> dict[Row, Placed]:
    """Return the views that the messages change, given those they are about as far as they exist."""
    changed: dict[Row, Placed] = {}
    for message in messages:
        body = message.body
        for target in TARGETS.get(type(body), ()):
            row = (target.kind, target.key(body))
            earlier = changed.get(row) or views.get(row)
            if message.position == TOLD_LATE and earlier is not None:
                continue
            view = target.fold(earlier.view if earlier else None, message)
            if view is not None:
                changed[row] = Placed(view, message.position)
    return changed
