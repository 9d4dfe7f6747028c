"""How a run's view follows from its stage's events. Pure: a view and a message give a view.

Every run's story begins with `run.queued`; what is heard of a run without one changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from services.status import aftermath
from services.status.definition_view import answered_definition, held_definition, with_wait
from services.status.run_waits import began, ended, waits_now
from services.status.shown_words import definition_in_words
from services.status.timeline import changed, moment, said_by, with_rollback
from services.status.views import EvidenceLineView, FailureView, FixView, RunView
from shared.events import (
    DefinitionAnswered,
    DefinitionHeld,
    FailureClassified,
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
)

STATES: Mapping[type[RunStarted], str] = {
    RunStarted: "In Progress",
    RunRollingBack: "Rolling Back",
    RunRollingForward: "Rolling Forward",
}
MISSING_ONCE = ("evidence", "fix", "rolled_back")  # from events of earlier releases
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
        restores=body.restores,
        rolls_back=body.rolls_back,
        retries=body.retries,
        asked_by=body.actor,
        asked_reason=body.reason,
    )
    run = run.model_copy(update=waits_now(run, body.wait, message.time))
    kind = f" {KINDS[body.kind]}" if body.kind in KINDS else ""
    asked = f", asked for by {said_by(body.actor, body.reason)}" if body.actor else ""
    waits = f", waits: {body.wait.blocked_by}" if body.wait else ""
    return moment(run, message, f"Queued{kind}{asked}{waits}")


def waiting(view: RunView | None, message: Message[RunWaiting]) -> RunView | None:
    """Fold in what it waits for now, and its limit; where only that has moved, it is no moment."""
    if view is None:
        return None
    wait = message.body.wait
    moved: dict[str, Any] = {"deadline": message.body.deadline} if message.body.deadline else {}
    moved["definition"] = with_wait(view.definition, wait)
    if wait == view.wait:
        return view.model_copy(update=moved)
    text = f"Waits: {wait.blocked_by}" if wait else "Waits for nothing any more"
    return moment(view, message, text, **waits_now(view, wait, message.time), **moved)


def definition_held(view: RunView | None, message: Message[DefinitionHeld]) -> RunView | None:
    """Fold in that somebody must approve changes of the pipeline file first."""
    held = held_definition(message)
    return changed(view, message, f"Waits for approval of {definition_in_words(held)}", definition=held)


def definition_answered(view: RunView | None, message: Message[DefinitionAnswered]) -> RunView | None:
    """Fold in what somebody said about them."""
    body = message.body
    changes = {"definition": answered_definition(view.definition, message)} if view else {}
    text = f"The changes of the pipeline file were {body.verdict}, by {said_by(body.actor, body.comment)}"
    return changed(view, message, text, **changes)


def started(view: RunView | None, message: Message[RunStarted]) -> RunView | None:
    """Fold in that it holds the lock."""
    body = message.body
    word = state_of(body)
    if view is None:
        return None
    changes = {"state": word, "deadline": body.deadline, **began(view, message.time)}
    changes["definition"] = with_wait(view.definition, None)
    return moment(view, message, f"{word}: holds the stage", **changes)


def cancelling(view: RunView | None, message: Message[RunCancelling]) -> RunView | None:
    """Fold in that a person ends it."""
    body = message.body
    said = {"actor": body.actor, "reason": body.reason}
    return changed(
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
    """Fold in what the failure is called, what to try and what follows."""
    if view is None:
        return None
    body = message.body
    failure = FailureView.model_validate(body.model_dump(exclude=set(MISSING_ONCE)))
    failure = failure.model_copy(update=_told_since(body, view))
    text = f"{body.code}: {body.likely_cause}"
    return moment(view, message, f"{text} {failure.follows}".rstrip(), failure=failure)


def _told_since(body: FailureClassified, view: RunView) -> dict[str, Any]:
    """Return what events did not say once, from what they said then."""
    lines = tuple(EvidenceLineView(line=each.line, text=each.text) for each in body.evidence)
    fix = FixView(**body.fix.model_dump(exclude={"commands"}), commands=body.fix.commands or body.commands)
    found = view.evidence.diagnostics if view.evidence else None
    return {
        "evidence": lines or tuple(EvidenceLineView(line=None, text=text) for text in body.lines),
        "fix": fix,
        "rolled_back": body.rolled_back or view.rollback == "started",
        "follows": aftermath.of_run(view.kind, view.rollback).told,
        "diagnostics": found.model_copy(update={"log_tail": ()}) if found else None,
    }


def _finished(
    view: RunView | None, message: Message[RunFinished], said: str = "", **changes: Any
) -> RunView | None:
    word = message.body.state
    text = f"{word}: {said}" if said else word
    if view is None:
        return None
    over = {"state": word, "final": True, "finished_at": message.time, **ended(view, message.time)}
    over["definition"] = with_wait(view.definition, None)
    over["rollback"] = rollback = getattr(message.body, "rollback", "")
    return moment(view, message, with_rollback(text, rollback), **over, **changes)
