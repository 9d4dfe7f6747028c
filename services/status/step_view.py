"""How the steps of a run's view follow from their events. Pure: a view and a message give a view.

A step's time is told apart: working (In Progress, Applying) and waiting (at a gate, between attempts).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.status.run_waits import seconds_between
from services.status.shown_words import changes_in_words, results_in_words
from services.status.timeline import changed, moment, said_by
from services.status.views import GateAnswer, GateView, OpenGate, RunView, StepView
from shared.events import (
    AttemptClassified,
    AttemptFailed,
    GateAnswered,
    Message,
    StepApplying,
    StepBackingOff,
    StepCancelled,
    StepEvent,
    StepFailed,
    StepKept,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTested,
    StepTimedOut,
    StepWaiting,
)

WORKING = frozenset({"In Progress", "Applying"})
IDLE = frozenset({"Waiting", "Backing Off"})
NEVER_RAN = StepView(step="")


def step_started(view: RunView | None, message: Message[StepStarted]) -> RunView | None:
    """Fold in a step's attempt."""
    body = message.body
    text = f"Step {body.step} started" + (f", attempt {body.attempt}" if body.attempt > 1 else "")
    changes = {"type": body.step_type, "log": body.log, "started_at": message.time, "finished_at": None}
    fresh = {"attempt": body.attempt, "next_attempt_at": None, "tests": None}
    return _step(view, message, text, state="In Progress", **changes, **fresh)


def step_tested(view: RunView | None, message: Message[StepTested]) -> RunView | None:
    """Fold in what its tests came to."""
    body = message.body
    text = f"Step {body.step}: {results_in_words(body.tests)}"
    return _step(view, message, text, tests=body.tests)


def step_applying(view: RunView | None, message: Message[StepApplying]) -> RunView | None:
    """Fold in that it makes the changes that it proposed."""
    body = message.body
    text = f"Step {body.step} makes its changes: {changes_in_words(body.changes)}"
    return _step(view, message, text, state="Applying", applies=body.changes)


def attempt_failed(view: RunView | None, message: Message[AttemptFailed]) -> RunView | None:
    """Fold in what was observed, while another attempt may follow."""
    body = message.body
    text = f"Step {body.step}, attempt {body.attempt} of {body.attempts_max}: {body.evidence.message}"
    return _step(view, message, text, evidence=body.evidence)


def attempt_classified(view: RunView | None, message: Message[AttemptClassified]) -> RunView | None:
    """Fold in whether another attempt makes sense."""
    body = message.body
    verdict = "may pass by itself" if body.retryable else "does not pass by itself"
    return changed(view, message, f"Step {body.step}: {body.code} ({body.rule}) {verdict}")


def step_backing_off(view: RunView | None, message: Message[StepBackingOff]) -> RunView | None:
    """Fold in when the next attempt begins."""
    body = message.body
    text = f"Step {body.step} is attempted again at {body.until:%H:%M:%S} UTC: {body.code} ({body.rule})"
    return _step(view, message, text, state="Backing Off", next_attempt_at=body.until)


def step_waiting(view: RunView | None, message: Message[StepWaiting]) -> RunView | None:
    """Fold in what a gate waits for; what ran before it was reached is the same attempt."""
    body = message.body
    earlier = _earlier(view.steps if view else (), body.step)
    ran = earlier.attempt == body.attempt and earlier.started_at is not None
    began = {"started_at": earlier.started_at if ran else message.time, "finished_at": None}
    told = {"type": body.step_type, "attempt": body.attempt, "gate": gate_of(body)}
    return _step(view, message, f"Step {body.step} {_asks(body)}", state="Waiting", **told, **began)


def gate_answered(view: RunView | None, message: Message[GateAnswered]) -> RunView | None:
    """Fold in what somebody said at a gate."""
    body = message.body
    gate = _earlier(view.steps if view else (), body.step).gate
    changes: dict[str, Any] = {"gate": answered_gate(gate, message)} if gate else {}
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


def gate_of(body: StepWaiting) -> GateView:
    """Return the gate that was opened."""
    shown = {name: getattr(body, name) for name in set(GateView.model_fields) & set(type(body).model_fields)}
    return GateView(**shown, deadline=body.wait.deadline)


def answered_gate(gate: GateView, message: Message[GateAnswered]) -> GateView:
    """Return the gate with what somebody said."""
    body = message.body
    said = GateAnswer(actor=body.actor, verdict=body.verdict, comment=body.comment, at=message.time)
    counted = f"has {body.approvals} of {body.needed} approvals"
    told = gate.wait.blocked_by.replace(f"has {gate.given} of {body.needed} approvals", counted)
    wait = gate.wait.model_copy(update={"blocked_by": told})
    changes = {"answers": (*gate.answers, said), "given": body.approvals, "wait": wait}
    return gate.model_copy(update=changes)


def without_gate(gates: Iterable[OpenGate], step: str) -> tuple[OpenGate, ...]:
    """Return the gates but for that of a step."""
    return tuple(gate for gate in gates if gate.step != step)


def _asks(body: StepWaiting) -> str:
    if body.tests:
        return f"waits for somebody to decide: {results_in_words(body.tests)}"
    if body.changes:
        return f"waits for approval of its changes: {changes_in_words(body.changes)}"
    if body.needed:
        return f"waits for {body.needed} approval{'s' if body.needed > 1 else ''}"
    return f"waits until {body.wait.deadline:%Y-%m-%d %H:%M:%S} UTC" if body.wait.deadline else "waits"


def _earlier(steps: Iterable[StepView], step: str) -> StepView:
    return next((each for each in steps if each.step == step), NEVER_RAN)


def _step(
    view: RunView | None, message: Message[StepEvent], text: str, state: str = "", **changes: Any
) -> RunView | None:
    """Return the run with a step changed; without a state, it stays in the one that it is in."""
    if view is None:
        return None
    name = message.body.step
    found = _earlier(view.steps, name)
    moved = _in_state(found, state, message.time) if state else {}
    step = found.model_copy(update={"step": name, **moved, **changes})
    steps = [step if each.step == name else each for each in view.steps]
    return moment(view, message, text, steps=tuple(steps if found.step else [*steps, step]))


def _in_state(step: StepView, state: str, at: datetime) -> dict[str, Any]:
    """Return what changes with a step's state: what has passed is added to its working or its waiting."""
    seconds = seconds_between(step.since, at) if step.since else 0.0
    changes: dict[str, Any] = {"state": state, "since": at}
    if step.state in WORKING:
        changes["running_seconds"] = step.running_seconds + seconds
    if step.state in IDLE:
        changes["waiting_seconds"] = step.waiting_seconds + seconds
    return changes


def _step_ended(
    view: RunView | None, message: Message[Any], state: str, said: str, **changes: Any
) -> RunView | None:
    body: StepEvent = message.body
    began = _earlier(view.steps if view else (), body.step).started_at
    seconds = seconds_between(began, message.time) if began else None
    ended = {"finished_at": message.time, "duration_seconds": seconds}
    return _step(view, message, f"Step {body.step} {said}", state=state, **ended, **changes)
