"""How a stage's view follows from the stage's events. Pure: a view and a message give a view.

What is said of a whole pipeline comes in a partition of its own and has a view of its own, that of the
stage `*`; `stage_standing` brings them together for whoever asks.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.status.definition_view import answered_definition, held_definition, with_wait
from services.status.deployment_status import judged
from services.status.health_view import after_success
from services.status.run_view import state_of
from services.status.shown_words import passed
from services.status.step_view import answered_gate, gate_of, without_gate
from services.status.timeline import said_by
from services.status.views import (
    Blocked,
    Ended,
    Hold,
    Live,
    OpenGate,
    Slot,
    StageView,
    StepTests,
    Stop,
    WindowOverride,
)
from shared.events import (
    BlockerLifted,
    DefinitionAnswered,
    DefinitionHeld,
    GateAnswered,
    HoldReleased,
    Message,
    RunCancelled,
    RunCancelling,
    RunEvent,
    RunFailed,
    RunFinished,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    RunWaiting,
    StageBlocked,
    StageDeclared,
    StageHeld,
    StageResumed,
    StageStopped,
    StepApplying,
    StepCancelled,
    StepFailed,
    StepStarted,
    StepSucceeded,
    StepTested,
    StepTimedOut,
    StepWaiting,
    WindowOverridden,
)
from shared.events.stages import StageEvent
from shared.ids import WHOLE

HOLDS_SHOWN_MAX = 50
BLOCKERS_SHOWN_MAX = 50
WAITING_SHOWN_MAX = 200

FAILING_SHOWN_MAX = 10  # steps of a run whose tests failed

GateLeaving = StepStarted | StepApplying | StepSucceeded | StepFailed | StepTimedOut | StepCancelled


def _of(view: StageView | None, body: StageEvent) -> StageView:
    return view or StageView(pipeline=body.pipeline, stage=body.stage)


def declared(view: StageView | None, message: Message[StageDeclared]) -> StageView:
    """Fold in where the stage stands and what it deploys to."""
    body = message.body
    return _of(view, body).model_copy(update={"place": body.place, "target": body.target})


def held(view: StageView | None, message: Message[StageHeld]) -> StageView:
    """Fold in a hold."""
    body = message.body
    stage = _of(view, body)
    others = tuple(hold for hold in stage.holds if hold.revision != body.revision)
    hold = Hold(revision=body.revision, reason=body.reason, since=message.time)
    return stage.model_copy(update={"holds": (*others, hold)[-HOLDS_SHOWN_MAX:]})


def hold_released(view: StageView | None, message: Message[HoldReleased]) -> StageView:
    """Fold in that a revision may be admitted again."""
    stage = _of(view, message.body)
    rest = tuple(hold for hold in stage.holds if hold.revision != message.body.revision)
    return stage.model_copy(update={"holds": rest})


def stopped(view: StageView | None, message: Message[StageStopped]) -> StageView:
    """Fold in that nothing begins here."""
    body = message.body
    whole = body.stage == WHOLE
    stop = Stop(actor=body.actor, reason=body.reason, since=message.time, whole_pipeline=whole)
    return with_stops(_of(view, body), (stop,))


def resumed(view: StageView | None, message: Message[StageResumed]) -> StageView:
    """Fold in that it begins runs again."""
    return with_stops(_of(view, message.body), ())


def blocked(view: StageView | None, message: Message[StageBlocked]) -> StageView:
    """Fold in what has to be over before anything begins here."""
    body = message.body
    stage = _of(view, body)
    others = tuple(blocker for blocker in stage.blockers if blocker.name != body.blocker)
    blocker = Blocked(name=body.blocker, reason=body.reason, since=message.time, released_by=body.released_by)
    return stage.model_copy(update={"blockers": (*others, blocker)[-BLOCKERS_SHOWN_MAX:]})


def blocker_lifted(view: StageView | None, message: Message[BlockerLifted]) -> StageView:
    """Fold in that it is over: at once, or from an instant on."""
    body = message.body
    stage = _of(view, body)
    if body.at <= message.time:
        rest = tuple(blocker for blocker in stage.blockers if blocker.name != body.blocker)
    else:
        rest = tuple(
            blocker.model_copy(update={"ends_at": body.at}) if blocker.name == body.blocker else blocker
            for blocker in stage.blockers
        )
    return stage.model_copy(update={"blockers": rest})


def window_overridden(view: StageView | None, message: Message[WindowOverridden]) -> StageView:
    """Fold in until when the window does not count."""
    body = message.body
    override = WindowOverride(until=body.until, actor=body.actor, reason=body.reason, since=message.time)
    return _of(view, body).model_copy(update={"window_override": override})


def with_stops(stage: StageView, stops: tuple[Stop, ...]) -> StageView:
    """Return the stage with these stops in place of those it has."""
    return judged(stage.model_copy(update={"stops": stops}))


def queued(view: StageView | None, message: Message[RunQueued]) -> StageView:
    """Fold in a run that waits."""
    body = message.body
    stage = _of(view, body)
    slot = Slot(
        run=body.run,
        revision=body.revision,
        kind=body.kind,
        commit=body.commit,
        state="Not Started",
        since=message.time,
        wait=body.wait,
        restores=body.restores,
        asked_by=body.actor,
    )
    return stage.model_copy(update={"waiting": (*stage.waiting, slot)[-WAITING_SHOWN_MAX:]})


def waiting(view: StageView | None, message: Message[RunWaiting]) -> StageView:
    """Fold in what a run waits for now."""
    body = message.body
    stage = _of(view, body)
    moved: dict[str, Any] = {"deadline": body.deadline} if body.deadline else {}
    moved["definition"] = with_wait(_slot(stage, body, message.time).definition, body.wait)
    return _changed(stage, body.run, wait=body.wait, **moved)


def definition_held(view: StageView | None, message: Message[DefinitionHeld]) -> StageView:
    """Fold in that somebody must approve changes of the pipeline file first."""
    body = message.body
    return _changed(_of(view, body), body.run, definition=held_definition(message))


def definition_answered(view: StageView | None, message: Message[DefinitionAnswered]) -> StageView:
    """Fold in what somebody said about them."""
    body = message.body
    stage = _of(view, body)
    definition = answered_definition(_slot(stage, body, message.time).definition, message)
    return _changed(stage, body.run, definition=definition)


def gate_opened(view: StageView | None, message: Message[StepWaiting]) -> StageView | None:
    """Fold in what the run that holds the stage waits for people at."""
    body, holder = message.body, _holder(view, message.body.run)
    if view is None or holder is None:
        return None
    opened = OpenGate(step=body.step, step_type=body.step_type, gate=gate_of(body))
    return _changed(view, body.run, gates=(*without_gate(holder.gates, body.step), opened))


def gate_answered(view: StageView | None, message: Message[GateAnswered]) -> StageView | None:
    """Fold in what somebody said at a gate."""
    body, holder = message.body, _holder(view, message.body.run)
    if view is None or holder is None:
        return None
    gates = tuple(
        each.model_copy(update={"gate": answered_gate(each.gate, message)})
        if each.step == body.step
        else each
        for each in holder.gates
    )
    return _changed(view, body.run, gates=gates)


def gate_left(view: StageView | None, message: Message[GateLeaving]) -> StageView | None:
    """Fold in that a step waits at its gate no more; most never did."""
    body, holder = message.body, _holder(view, message.body.run)
    if view is None or holder is None:
        return None
    gates, failing = without_gate(holder.gates, body.step), holder.failing
    if isinstance(body, StepSucceeded):  # somebody let it pass
        failing = tuple(each for each in failing if each.step != body.step)
    if (gates, failing) == (holder.gates, holder.failing):
        return None
    return _changed(view, body.run, gates=gates, failing=failing)


def tested(view: StageView | None, message: Message[StepTested]) -> StageView | None:
    """Fold in whether the tests of a step fail; those that pass are told with the run."""
    body, holder = message.body, _holder(view, message.body.run)
    if view is None or holder is None:
        return None
    others = tuple(each for each in holder.failing if each.step != body.step)
    mine = () if passed(body.tests) else (StepTests(step=body.step, tests=body.tests),)
    failing = (*others, *mine)[-FAILING_SHOWN_MAX:]
    return _changed(view, body.run, failing=failing) if failing != holder.failing else None


def started(view: StageView | None, message: Message[RunStarted]) -> StageView:
    """Fold in who holds the lock."""
    body = message.body
    stage = _of(view, body)
    slot = _slot(stage, body, message.time)
    slot = slot.model_copy(
        update={
            "state": state_of(body),
            "since": message.time,
            "wait": None,
            "deadline": body.deadline,
            "definition": with_wait(slot.definition, None),
        }
    )
    rest = tuple(waiting for waiting in stage.waiting if waiting.run != body.run)
    return judged(stage.model_copy(update={"running": slot, "waiting": rest, "unstarted": None}))


def cancelling(view: StageView | None, message: Message[RunCancelling]) -> StageView:
    """Fold in that a person ends the run."""
    return _changed(_of(view, message.body), message.body.run, state="Cancelling", since=message.time)


def succeeded(view: StageView | None, message: Message[RunSucceeded]) -> StageView:
    """Fold in what is live from now on."""
    body = message.body
    stage = _of(view, body)
    live = Live(
        revision=body.revision,
        run=body.run,
        commit=_slot(stage, body, message.time).commit,
        urls=body.urls,
        since=message.time,
    )
    return _ended(
        stage.model_copy(update={"live": live, "health": after_success(stage.health, message)}), message
    )


def failed(view: StageView | None, message: Message[RunFailed] | Message[RunTimedOut]) -> StageView:
    """Fold in a deployment that did not come to pass."""
    return _ended(_of(view, message.body), message, message.body.evidence.message)


def cancelled(view: StageView | None, message: Message[RunCancelled]) -> StageView:
    """Fold in a run that a person ended; what was live still is."""
    body = message.body
    return _ended(_of(view, body), message, said_by(body.actor, body.reason))


def superseded(view: StageView | None, message: Message[RunSuperseded]) -> StageView:
    """Fold in a run that gave its place to a newer one."""
    return _ended(_of(view, message.body), message)


def _slot(stage: StageView, body: RunEvent, now: datetime) -> Slot:
    """Return what is known of the run; little, if its beginning was never heard."""
    open_ = [*stage.waiting, *([stage.running] if stage.running else [])]
    for slot in open_:
        if slot.run == body.run:
            return slot
    return Slot(
        run=body.run, revision=body.revision, kind=body.kind, commit="", state="Not Started", since=now
    )


def _holder(view: StageView | None, run: UUID) -> Slot | None:
    """Return the run that holds the stage, if it is this one: others have no steps that act."""
    return view.running if view and view.running and view.running.run == run else None


def _changed(stage: StageView, run: UUID, **changes: Any) -> StageView:
    if stage.running and stage.running.run == run:
        return stage.model_copy(update={"running": stage.running.model_copy(update=changes)})
    slots = tuple(s.model_copy(update=changes) if s.run == run else s for s in stage.waiting)
    return stage.model_copy(update={"waiting": slots})


def _ended(stage: StageView, message: Message[RunFinished], said: str = "") -> StageView:
    """Take the run out; it is remembered as the last that held the lock, or that never came to hold it."""
    body = message.body
    holder = _holder(stage, body.run)
    rest = tuple(slot for slot in stage.waiting if slot.run != body.run)
    changes: dict[str, Any] = {"waiting": rest}
    told = Ended(
        run=body.run,
        revision=body.revision,
        kind=body.kind,
        state=body.state,
        at=message.time,
        message=said,
        step=getattr(body, "step", ""),
        rollback=getattr(body, "rollback", ""),
        failing=holder.failing if holder else (),
        rejected=_is_rejected(_slot(stage, body, message.time)),
    )
    if holder is not None:
        changes |= {"running": None, "last": told}
    elif rest != stage.waiting and not isinstance(body, RunSuperseded):
        changes["unstarted"] = told
    return judged(stage.model_copy(update=changes))


def _is_rejected(slot: Slot) -> bool:
    return slot.definition is not None and slot.definition.answer == "rejected"
