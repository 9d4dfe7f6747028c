"""How a run's view follows from its stage's events. Pure: a view and a message give a view.

Every run's story begins with `run.queued`; what is heard of a run without one changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.status.views import (
    FailureView,
    GateAnswer,
    GateView,
    Moment,
    RunView,
    StepView,
    VerificationView,
)
from shared.events import (
    AttemptClassified,
    AttemptFailed,
    Event,
    FailureClassified,
    GateAnswered,
    Message,
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunFinished,
    RunQueued,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    RunWaiting,
    StepBackingOff,
    StepCancelled,
    StepEvent,
    StepFailed,
    StepKept,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTimedOut,
    StepWaiting,
    VerificationFailed,
    VerificationPassed,
    VerificationRequested,
)

TIMELINE_MAX = 400  # moments kept; the history has the others

STATES: Mapping[type[RunStarted], str] = {
    RunStarted: "In Progress",
    RunRollingBack: "Rolling Back",
    RunRollingForward: "Rolling Forward",
}
KINDS: Mapping[str, str] = {
    "retry": "as a retry",
    "rollback": "as a rollback",
    "roll_forward": "as a roll-forward",
}


def state_of(body: RunStarted) -> str:
    """Return the state of a run that holds the lock."""
    return STATES[type(body)]


def queued(view: RunView | None, message: Message[RunQueued]) -> RunView:
    """Begin the run's story."""
    if view is not None:
        return view
    body = message.body
    run = RunView(
        run=body.run,
        pipeline=body.pipeline,
        stage=body.stage,
        revision=body.revision,
        kind=body.kind,
        commit=body.commit,
        plan_hash=body.plan_hash,
        state="Not Started",
        place=message.position,
        queued_at=message.time,
        wait=body.wait,
        restores=body.restores,
        rolls_back=body.rolls_back,
        retries=body.retries,
        asked_by=body.actor,
        asked_reason=body.reason,
    )
    kind = f" {KINDS[body.kind]}" if body.kind in KINDS else ""
    asked = f", asked for by {said_by(body.actor, body.reason)}" if body.actor else ""
    waits = f", waits: {body.wait.blocked_by}" if body.wait else ""
    return _moment(run, message, f"Queued{kind}{asked}{waits}")


def waiting(view: RunView | None, message: Message[RunWaiting]) -> RunView | None:
    """Fold in what it waits for now."""
    wait = message.body.wait
    text = f"Waits: {wait.blocked_by}" if wait else "Waits for nothing any more"
    moved = {"deadline": message.body.deadline} if message.body.deadline else {}
    return _changed(view, message, text, wait=wait, **moved)


def started(view: RunView | None, message: Message[RunStarted]) -> RunView | None:
    """Fold in that it holds the lock."""
    body = message.body
    word = state_of(body)
    changes = {"state": word, "started_at": message.time, "deadline": body.deadline, "wait": None}
    return _changed(view, message, f"{word}: holds the stage", **changes)


def cancelling(view: RunView | None, message: Message[RunCancelling]) -> RunView | None:
    """Fold in that a person ends it."""
    body = message.body
    said = {"actor": body.actor, "reason": body.reason}
    return _changed(
        view, message, f"Cancelling, by {said_by(body.actor, body.reason)}", state="Cancelling", **said
    )


def succeeded(view: RunView | None, message: Message[RunSucceeded]) -> RunView | None:
    """Fold in that it did what it was for."""
    return _finished(view, message, urls=message.body.urls)


def failed(view: RunView | None, message: Message[RunFailed] | Message[RunTimedOut]) -> RunView | None:
    """Fold in what ended it."""
    evidence = message.body.evidence
    return _finished(view, message, evidence.message, evidence=evidence)


def cancelled(view: RunView | None, message: Message[RunCancelled]) -> RunView | None:
    """Fold in who ended it."""
    body = message.body
    return _finished(view, message, said_by(body.actor, body.reason), actor=body.actor, reason=body.reason)


def superseded(view: RunView | None, message: Message[RunSuperseded]) -> RunView | None:
    """Fold in who has its place."""
    body = message.body
    by = {"superseded_by_run": body.by_run, "superseded_by_revision": body.by_revision}
    return _finished(view, message, f"by revision {body.by_revision}", **by)


def classified(view: RunView | None, message: Message[FailureClassified]) -> RunView | None:
    """Fold in what the failure is called and what to try."""
    body = message.body
    failure = FailureView.model_validate(body.model_dump())
    return _changed(view, message, f"{body.code}: {body.likely_cause}", failure=failure)


def step_started(view: RunView | None, message: Message[StepStarted]) -> RunView | None:
    """Fold in a step's attempt."""
    body = message.body
    text = f"Step {body.step} started" + (f", attempt {body.attempt}" if body.attempt > 1 else "")
    changes = {"type": body.step_type, "log": body.log, "started_at": message.time, "finished_at": None}
    changes["next_attempt_at"] = None
    return _step(view, message, text, state="In Progress", attempt=body.attempt, **changes)


def attempt_failed(view: RunView | None, message: Message[AttemptFailed]) -> RunView | None:
    """Fold in what was observed, while another attempt may follow."""
    body = message.body
    text = f"Step {body.step}, attempt {body.attempt} of {body.attempts_max}: {body.evidence.message}"
    return _step(view, message, text, evidence=body.evidence)


def attempt_classified(view: RunView | None, message: Message[AttemptClassified]) -> RunView | None:
    """Fold in whether another attempt makes sense."""
    body = message.body
    verdict = "may pass by itself" if body.retryable else "does not pass by itself"
    return _changed(view, message, f"Step {body.step}: {body.code} ({body.rule}) {verdict}")


def step_backing_off(view: RunView | None, message: Message[StepBackingOff]) -> RunView | None:
    """Fold in when the next attempt begins."""
    body = message.body
    text = f"Step {body.step} is attempted again at {body.until:%H:%M:%S} UTC: {body.code} ({body.rule})"
    return _step(view, message, text, next_attempt_at=body.until)


def step_waiting(view: RunView | None, message: Message[StepWaiting]) -> RunView | None:
    """Fold in what a gate waits for."""
    body = message.body
    gate = GateView.model_validate(body.model_dump(include=set(GateView.model_fields)))
    text = f"Waits: {body.wait.blocked_by}"
    began = {"type": body.step_type, "started_at": message.time, "finished_at": None}
    return _step(view, message, text, state="Waiting", attempt=body.attempt, gate=gate, **began)


def gate_answered(view: RunView | None, message: Message[GateAnswered]) -> RunView | None:
    """Fold in what somebody said at a gate."""
    body = message.body
    said = GateAnswer(actor=body.actor, verdict=body.verdict, comment=body.comment, at=message.time)
    gate = next((step.gate for step in view.steps if step.step == body.step), None) if view else None
    changes = {"gate": gate.model_copy(update={"answers": (*gate.answers, said)})} if gate else {}
    text = f"Step {body.step} {body.verdict}, by {said_by(body.actor, body.comment)}"
    return _step(view, message, text, **changes)


def step_succeeded(view: RunView | None, message: Message[StepSucceeded]) -> RunView | None:
    """Fold in a step's outputs."""
    return _step_ended(view, message, "Succeeded", "succeeded", outputs=message.body.outputs)


def step_failed(view: RunView | None, message: Message[StepFailed]) -> RunView | None:
    """Fold in what was observed."""
    evidence = message.body.evidence
    return _step_ended(view, message, "Failed", f"failed: {evidence.message}", evidence=evidence)


def step_timed_out(view: RunView | None, message: Message[StepTimedOut]) -> RunView | None:
    """Fold in what was observed."""
    evidence = message.body.evidence
    return _step_ended(view, message, "Timed Out", f"timed out: {evidence.message}", evidence=evidence)


def step_skipped(view: RunView | None, message: Message[StepSkipped]) -> RunView | None:
    """Fold in why it did not run."""
    reason = message.body.reason
    return _step(view, message, f"Step {message.body.step} skipped: {reason}", state="Skipped", reason=reason)


def step_kept(view: RunView | None, message: Message[StepKept]) -> RunView | None:
    """Fold in that it succeeded in the run that is retried."""
    body = message.body
    text = f"Step {body.step} is kept: it succeeded in the run that is tried again"
    return _step(view, message, text, state="Succeeded", outputs=body.outputs, kept_of=body.of_run)


def step_cancelled(view: RunView | None, message: Message[StepCancelled]) -> RunView | None:
    """Fold in why it was stopped."""
    reason = message.body.reason
    return _step_ended(view, message, "Cancelled", f"cancelled: {reason}", reason=reason)


def verification_requested(view: RunView | None, message: Message[VerificationRequested]) -> RunView | None:
    """Fold in what is being verified."""
    body = message.body
    urls = tuple(target.base_url for target in body.targets)
    asked = VerificationView(verification=body.verification, step=body.step, asked_at=message.time, urls=urls)
    return _verified(view, message, f"Verifying {', '.join(urls)}", asked)


def verification_passed(view: RunView | None, message: Message[VerificationPassed]) -> RunView | None:
    """Fold in that it was found good."""
    probes = len(message.body.probes)
    answer = {"answered_at": message.time, "passed": True, "probes": probes}
    return _verdict(view, message, f"Verified by {probes} probes", answer)


def verification_failed(view: RunView | None, message: Message[VerificationFailed]) -> RunView | None:
    """Fold in what was observed instead."""
    evidence = message.body.evidence
    answer = {"answered_at": message.time, "passed": False, "evidence": evidence}
    answer["probes"] = len(evidence.probes)
    return _verdict(view, message, f"Verification failed: {evidence.message}", answer)


def said_by(actor: str, reason: str) -> str:
    """Return who did it and why."""
    return f"{actor}: {reason}" if reason else actor


def _moment(run: RunView, message: Message[Any], text: str, **changes: Any) -> RunView:
    body: Event = message.body
    what = body.type.removeprefix("windlass.").rpartition(".v")[0]
    entry = Moment(at=message.time, what=what, text=text)
    return run.model_copy(update={**changes, "timeline": (*run.timeline, entry)[-TIMELINE_MAX:]})


def _changed(view: RunView | None, message: Message[Any], text: str, **changes: Any) -> RunView | None:
    return _moment(view, message, text, **changes) if view else None


def _finished(
    view: RunView | None, message: Message[RunFinished], said: str = "", **changes: Any
) -> RunView | None:
    word = message.body.state
    text = f"{word}: {said}" if said else word
    ended = {"state": word, "final": True, "finished_at": message.time, "wait": None}
    return _changed(view, message, text, **ended, **changes)


def _step(view: RunView | None, message: Message[StepEvent], text: str, **changes: Any) -> RunView | None:
    if view is None:
        return None
    name = message.body.step
    earlier = next((step for step in view.steps if step.step == name), StepView(step=name))
    changed = earlier.model_copy(update=changes)
    kept = [changed if step.step == name else step for step in view.steps]
    steps = kept if changed in kept else [*kept, changed]
    return _moment(view, message, text, steps=tuple(steps))


def _step_ended(
    view: RunView | None, message: Message[Any], state: str, said: str, **changes: Any
) -> RunView | None:
    body: StepEvent = message.body
    began = next((step.started_at for step in view.steps if step.step == body.step), None) if view else None
    ended: dict[str, Any] = {"finished_at": message.time, "duration_seconds": _seconds(began, message.time)}
    return _step(view, message, f"Step {body.step} {said}", state=state, **ended, **changes)


def _seconds(began: datetime | None, ended: datetime) -> float | None:
    return (ended - began).total_seconds() if began else None


def _verified(
    view: RunView | None, message: Message[Any], text: str, asked: VerificationView
) -> RunView | None:
    if view is None:
        return None
    others = [each for each in view.verifications if each.verification != asked.verification]
    return _moment(view, message, text, verifications=(*others, asked))


def _verdict(
    view: RunView | None, message: Message[Any], text: str, answer: dict[str, Any]
) -> RunView | None:
    if view is None:
        return None
    body: VerificationPassed | VerificationFailed = message.body
    verdicts = tuple(
        each.model_copy(update=answer) if each.verification == body.verification else each
        for each in view.verifications
    )
    return _moment(view, message, text, verifications=verdicts)
