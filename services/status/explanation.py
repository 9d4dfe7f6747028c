"""Why a stage is where it is, in sentences (L2): why, on what, since when, what releases it, by when."""

from datetime import datetime

from services.status.views import Slot, StageView, Stop, View
from shared.events import Wait

WAITS_FOR = {
    "previous_stage": "the stage before",
    "lock": "its turn",
    "window": "the deployment window",
    "blocker": "a blocker",
    "stopped": "the stage, which is stopped",
    "hold": "a hold",
    "build": "its artifacts",
    "approval": "an approval",
    "bake": "the end of the bake",
    "retry_backoff": "another attempt",
}


class Reason(View):
    """One sentence, with the times that belong to it."""

    text: str
    since: datetime | None = None
    deadline: datetime | None = None  # when it ends by itself at the latest


def why(stage: StageView) -> list[Reason]:
    """Say what happens in the stage and what waits in it; never nothing."""
    reasons = [_running(stage.running)] if stage.running else []
    reasons += [_waiting(slot) for slot in stage.waiting]
    reasons += [
        Reason(
            text=f"Revision {hold.revision} is kept out, a newer one goes past it: {hold.reason}.",
            since=hold.since,
        )
        for hold in stage.holds
        if stage.live is None or hold.revision > stage.live.revision
    ]
    reasons += _at_rest(stage) if not stage.running and not stage.waiting else []
    return [*reasons, *_gates(stage)]


def _running(slot: Slot) -> Reason:
    doing = f"Revision {slot.revision} is {slot.state} here"
    if slot.wait is None:
        return Reason(text=f"{doing}.", since=slot.since, deadline=slot.deadline)
    text = f"{doing} and waits for {waits_for(slot.wait)}"
    return Reason(text=text, since=slot.wait.since, deadline=slot.wait.deadline or slot.deadline)


def _waiting(slot: Slot) -> Reason:
    if slot.wait is None:
        return Reason(text=f"Revision {slot.revision} is about to start.", since=slot.since)
    text = f"Revision {slot.revision} waits for {waits_for(slot.wait)}"
    return Reason(text=text, since=slot.wait.since, deadline=slot.wait.deadline)


def waits_for(wait: Wait) -> str:
    """Say what a wait is for, on what, and what ends it."""
    return f"{WAITS_FOR[wait.reason]}: {wait.blocked_by}; released by {wait.released_by}."


def _gates(stage: StageView) -> list[Reason]:
    """Say what people did to the stage itself, unless a wait says so already."""
    told = any(slot.wait is not None and slot.wait.reason == "stopped" for slot in stage.waiting)
    reasons = [] if told else [_stopped(stop) for stop in stage.stops]
    override = stage.window_override
    if override:
        text = f"{override.actor} lets it begin runs whatever its window says{_because(override.reason)}."
        reasons.append(Reason(text=text, since=override.since, deadline=override.until))
    return reasons


def _stopped(stop: Stop) -> Reason:
    what = "the pipeline" if stop.whole_pipeline else "the stage"
    text = f"{stop.actor} stopped {what}{_because(stop.reason)}; nothing begins until somebody resumes it."
    return Reason(text=text, since=stop.since)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _at_rest(stage: StageView) -> list[Reason]:
    reasons = []
    if stage.live is None:
        reasons.append(Reason(text="Nothing waits; nothing was deployed here yet."))
    else:
        live = f"Nothing waits; revision {stage.live.revision} is live."
        reasons.append(Reason(text=live, since=stage.live.since))
    last = stage.last
    if last is not None and (stage.live is None or last.run != stage.live.run):
        said = f": {last.message}" if last.message else "."
        ended = f"The last run here, of revision {last.revision}, ended {last.state}{said}"
        reasons.append(Reason(text=ended, since=last.at))
    return reasons
